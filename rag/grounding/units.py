"""Units of measurement behind a number: one name for all spellings, and what they measure."""

from __future__ import annotations

import re

# One in the place of another of its kind changes what is said.
_KINDS: dict[str, tuple[str, ...]] = {
    "length": (
        "kilometre kilometer km", "metre meter m", "centimetre centimeter cm", "millimetre millimeter mm",
        "micrometre micrometer micron µm μm", "nanometre nanometer nm", "mile mi", "yard yd", "foot feet ft",
        "inch inches", "nautical-mile nmi", "fathom", "light-year",
    ),
    "mass": (
        "tonne ton", "kilogram kilogramme kg kilo", "gram gramme g", "milligram mg", "microgram µg μg mcg", "pound lb",
        "ounce oz", "stone", "carat",
    ),
    "time": (
        "millisecond ms", "second sec", "minute min", "hour hr", "day", "week", "fortnight", "month", "quarter", "year",
        "decade", "century centuries", "millennium millennia",
    ),
    "money": (
        "dollar usd", "euro eur", "pound gbp", "yen jpy", "yuan rmb cny renminbi", "rouble ruble rub", "rupee inr",
        "crown krona kronor krone kroner sek nok dkk", "franc chf", "peso", "lira", "zloty", "shekel", "cent",
        "penny pence", "hryvnia uah",
    ),
    "share": ("percent pct", "percentage-point", "per-mille", "basis-point bp bps"),
    "volume": ("litre liter", "millilitre milliliter ml", "gallon", "barrel bbl", "pint", "quart", "cup", "teu"),
    "area": ("hectare ha", "acre"),
    "power": ("watt", "kilowatt kw", "megawatt mw", "gigawatt gw", "terawatt tw", "horsepower hp bhp"),
    "energy": (
        "kilowatt-hour kwh", "megawatt-hour mwh", "gigawatt-hour gwh", "terawatt-hour twh", "joule", "kilojoule kj",
        "megajoule mj", "calorie cal", "kilocalorie kcal",
    ),
    "temperature": ("celsius centigrade", "fahrenheit", "kelvin"),
    "data": (
        "bit", "byte", "kilobyte kb kib", "megabyte mb mib", "gigabyte gb gib", "terabyte tb tib", "petabyte pb pib",
        "kilobit kbit", "megabit mbit", "gigabit gbit",
    ),
    "frequency": ("hertz hz", "kilohertz khz", "megahertz mhz", "gigahertz ghz"),
    "voltage": ("volt", "kilovolt kv", "millivolt mv"),
    "speed": ("knot kn", "mach"),
    "pressure": ("pascal pa", "kilopascal kpa", "bar", "millibar mbar", "psi"),
}  # fmt: skip
_SIGNS = {"%": "percent", "‰": "per-mille", "°": "degree"}
_NAME = {word: names.split()[0] for kinds in _KINDS.values() for names in kinds for word in names.split()}
_KIND = {
    name: frozenset(kind for kind, kinds in _KINDS.items() if any(name == names.split()[0] for names in kinds))
    for name in _NAME.values()
}  # a pound is money and mass
_PHRASE = re.compile(
    r"[ -]?(?:"
    r"(?P<share>per[ -]?cent(?!ile)\b|percentage[ -]points?\b|per[ -]?mill?e?\b|basis[ -]points?\b)"
    r"|(?:(?P<power>square|sq\.?|cubic|cu\.?)[ -])?(?P<nautical>nautical )?(?:(?:metric|long|short|US|imperial) )?"
    r"(?P<word>[A-Za-zµμ]+)(?P<raised>[²³])?"
    r"(?P<rate>(?:/| per | an | a )(?:second|minute|hour|day|week|month|year|h|s)\b)?"
    r"|(?P<sign>[%‰°])"
    r")",
)
_DEGREE = re.compile(r"[ -]?(?:°|degrees?)[ -]?(?P<scale>[CFK]\b|Celsius|Fahrenheit)")
_SPEEDS = {"mph": "mile/hour", "kph": "kilometre/hour", "kmh": "kilometre/hour"}
_SHORT = {"h": "hour", "s": "second"}
_SCALES = {"C": "celsius", "F": "fahrenheit", "K": "kelvin"}
_CAPITALS = {
    "MW": "megawatt",
    "mW": "",
    "M": "",
    "G": "",
    "MS": "",
    "Mi": "",
    "Ha": "",
    "Ms": "",
    "Min": "",
    "V": "volt",
    "W": "watt",
    "J": "joule",
    "Kn": "",
}


def read_unit(text: str, at: int) -> tuple[str, int]:
    """Read the unit that stands at a place of a text, right behind a number.

    Args:
        text: Any text.
        at: Where the number ends, in code points.

    Returns:
        The unit in one form ("km²", "sq. km" and "square kilometres" are "square kilometre") and where it ends; an
        empty name and `at` where none stands.
    """
    degree = _DEGREE.match(text, at)
    if degree is not None:
        return _SCALES.get(degree["scale"], degree["scale"].lower()), degree.end()
    match = _PHRASE.match(text, at)
    if match is None:
        return "", at
    if match["share"]:
        return _share(re.sub(r"[ -]", "", match["share"].lower())), match.end()
    if match["sign"]:
        return _SIGNS[match["sign"]], match.end()
    return _from_words(match, at)


def _share(low: str) -> str:
    if "point" in low:
        return "basis-point" if low.startswith("basis") else "percentage-point"
    return "percent" if low.startswith("percent") else "per-mille"


def _from_words(match: re.Match[str], at: int) -> tuple[str, int]:
    word = match["word"]
    if word.lower() in _SPEEDS:
        return _SPEEDS[word.lower()], match.end("word")
    name = _normal(word)
    if not name:
        return "", at
    if match["nautical"]:
        name = f"nautical-{name}"
    power = match["power"] or match["raised"] or ""
    if power:
        cubed = power.startswith(("cu", "³"))
        return f"{'cubic' if cubed else 'square'} {name}", match.end("raised") if match["raised"] else match.end("word")
    rate = match["rate"]
    if rate and "length" in _kinds(name):
        base = re.sub(r"^(?:/| per | an | a )", "", rate)
        return f"{name}/{_SHORT.get(base, base)}", match.end()
    return name, match.end("word")


def _normal(word: str) -> str:
    """One form for all spellings of a unit in one word; empty for a word that is none."""
    if word in _CAPITALS:
        return _CAPITALS[word]
    low = word.lower()
    return _NAME.get(low) or _NAME.get(low.removesuffix("s"), "")


def same_kind(a: str, b: str) -> bool:
    """Tell whether two units measure the same thing, so that one in the place of the other changes what is said."""
    return not _kinds(a).isdisjoint(_kinds(b))


def is_money(unit: str) -> bool:
    """Tell whether a unit is a currency."""
    return "money" in _kinds(unit)


def _kinds(unit: str) -> frozenset[str]:
    if unit.startswith(("square ", "cubic ")):
        return frozenset(("area" if unit.startswith("square") else "volume",))
    if "/" in unit:
        return frozenset(("speed",))
    return frozenset(("temperature",)) if unit == "degree" else _KIND.get(unit, frozenset())
