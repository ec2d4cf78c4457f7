"""Examining a library: is everything in it what the catalog says, and can it be used; and putting right what can be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from index.bare import BareParts
from index.checks import (
    Fault,
    Finding,
    check_catalog,
    check_disk,
    check_leftovers,
    check_ocr,
    check_sources,
    find_faults,
)
from index.embedded import embedded_texts
from index.errors import (
    DiskFullError,
    DocumentError,
    DossierError,
    LibraryBusyError,
    LibraryError,
    NoLibraryError,
    StaleIndexError,
)
from index.mend import forget_strays, rebuild_stores, remake_vectors, resplit, stray_documents
from index.migrate import relabel
from index.parts import Progress
from index.reading import digest_of
from index.repair import find_differences
from index.settings import LibrarySettings
from index.types import Step

if TYPE_CHECKING:
    from index.embed import Encoder

SAMPLE = 8
"""Passages embedded again to compare with their stored vectors."""
SAME = 0.95
"""Least cosine between a stored vector and the same text embedded again. The shipped encoder's arithmetic in whole
numbers depends on which texts are encoded together: the lowest of 600 on one machine was .988."""
_NAMED = 5
_REPAIR = "dossier doctor --repair makes it right."


def examine(
    path: Path,
    settings: LibrarySettings,
    *,
    encoder: Encoder | None = None,
    repair: bool = False,
    progress: Progress | None = None,
) -> list[Finding]:
    """Examine a library, and repair it if asked.

    Nothing is changed without `repair`, but for the migration of a library that an older version made. A repair takes
    everything from the catalog, removes no document that is in it, and deletes no file: a store that cannot be used is
    renamed. What was repaired comes first, then what is found afterwards.

    Args:
        path: The library's folder.
        settings: Its settings.
        encoder: An encoder in place of the one the settings name.
        repair: Whether to repair.
        progress: Called with how far it is.

    Returns:
        What was found, in order; something is wrong if any `state` is "problem".

    Raises:
        NoLibraryError: There is none.
        StaleIndexError: A newer version made it.
        LibraryBusyError: It is to be repaired and another process is writing to it.
    """
    if not (path / "catalog.sqlite").is_file():
        raise NoLibraryError(
            f"There is no library in {path}.", remedy=f"Make one: dossier --library {path} add FILE_OR_FOLDER"
        )
    try:
        library = BareParts(path, settings, encoder)
    except (StaleIndexError, LibraryBusyError, DiskFullError):
        raise
    except LibraryError as error:
        return [_damaged(error), check_disk(path, settings), check_leftovers(path)]
    try:
        found = _Examination(library, progress)
        findings = found.run()
        done = found.repair() if repair else []
        return done + _Examination(library, progress).run() if done else findings
    finally:
        library.close()


def _damaged(error: LibraryError) -> Finding:
    return Finding(
        "catalog", "problem", error.message,
        "The catalog is the record of truth and cannot be rebuilt: restore a backup (dossier restore FILE --force), or "
        "add the files to a new library.",
    )  # fmt: skip


@dataclass
class _Examination:
    """One round through all checks; remembers what a repair needs to know."""

    library: BareParts
    progress: Progress | None
    intact: bool = False
    faults: list[Fault] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    unusable: str = ""
    unlabelled: bool = False
    encoder_works: bool = False
    wrong_vectors: bool = False
    pending: int = 0

    def _tell(self, stage: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(Step(stage, done, total))

    def run(self) -> list[Finding]:
        """Look at everything."""
        library = self.library
        findings = []
        try:
            findings.append(check_catalog(library.catalog))
            self.intact = findings[0].state == "ok"
            if self.intact:
                findings.append(self._check_documents())
                findings += self._check_stores()
                findings.append(self._check_encoder())
                if self.encoder_works and not self.unusable:
                    findings += self._check_sample()
                findings += self._check_pending()
                findings.append(check_sources(library.catalog))
        except LibraryError as error:  # a page of the catalog that only some query reads
            if isinstance(error, (LibraryBusyError, DiskFullError)):
                raise
            self.intact = False
            findings.append(_damaged(error))
        findings += [
            check_disk(library.path, library.settings), check_leftovers(library.path), check_ocr(library.settings)
        ]  # fmt: skip
        return findings

    def _check_documents(self) -> Finding:
        catalog = self.library.catalog
        self.faults = list(find_faults(catalog, lambda done, total: self._tell("check", done, total)))
        self.strays = stray_documents(self.library)
        if not self.faults and not self.strays:
            return Finding("documents", "ok", "Every passage is the very text of its document at its offsets.")
        titles = {info.id: info.title for info in catalog.list_documents([f.document_id for f in self.faults[:_NAMED]])}
        details = [f"{f.document_id} {titles.get(f.document_id, '')}: {f.reason}" for f in self.faults[:_NAMED]]
        details += [f"{name}: passages without a document" for name in self.strays[:_NAMED]]
        lost = sum(not fault.mendable for fault in self.faults)
        remedy = f"{_REPAIR} " if lost < len(self.faults) or self.strays else ""
        if lost:
            remedy += f"{lost:,} cannot be repaired: dossier remove ID, then add the file again."
        message = f"{len(self.faults) + len(self.strays):,} documents are not recorded as they should be."
        return Finding("documents", "problem", message, remedy.strip(), tuple(details))

    # Stores

    def _check_stores(self) -> list[Finding]:
        library = self.library
        try:
            with self._undisturbed() as alone:
                if not alone:
                    return [_BUSY]
                self._probe()
                self.unlabelled = library.catalog.get_meta("labels") is None and len(library) > 0
                self.differing = find_differences(library)
        except (LibraryBusyError, DiskFullError):
            raise
        except LibraryError as error:
            return [self._unusable(error)]
        announced = library.catalog.announced()
        findings = []
        if self.unlabelled:
            findings.append(Finding("stores", "problem", "The vectors lack what filters need: an older version made "
                                    "them.", f"{_REPAIR} So does the first search."))  # fmt: skip
        if announced:
            findings.append(Finding("stores", "problem", f"A change of {len(announced):,} documents was left half "
                                    "done.", f"{_REPAIR} So does the next command that opens the library.",
                                    tuple(announced[:_NAMED])))  # fmt: skip
        if self.differing:
            findings.append(Finding("stores", "problem", f"Vectors or lexical index differ from the catalog in "
                                    f"{len(self.differing):,} documents.", _REPAIR,
                                    tuple(self.differing[:_NAMED])))  # fmt: skip
        where = library.settings.vectors or "folder vectors"
        count = library.vectors.count()
        return findings or [
            Finding("stores", "ok", f"Catalog, lexical index and {count:,} vectors ({where}) hold the same passages.")
        ]

    @contextlib.contextmanager
    def _undisturbed(self) -> Iterator[bool]:
        """Keep writers out while the stores are compared; gives false while there is one."""
        try:
            held = self.library.writing(timeout=_PATIENCE)
            held.__enter__()
        except LibraryBusyError:
            yield False
            return
        except LibraryError:  # a folder that cannot be written to has no writers
            yield True
            return
        try:
            yield True
        finally:
            held.__exit__(None, None, None)

    def _probe(self) -> None:
        """Use each store once: a damaged one opens, and fails when it is read."""
        lexical, vectors = self.library.lexical, self.library.vectors
        lexical.count()
        some = self.library.catalog.rows("SELECT id FROM passages WHERE NOT pending LIMIT 1")
        for vector in vectors.get([some[0][0]]).values() if some else ():
            vectors.search(vector, 1)

    def _unusable(self, error: LibraryError) -> Finding:
        if "locked" in error.message:
            return _BUSY  # nothing is wrong with a store that another process is using
        remote = bool(self.library.settings.vectors)
        self.unusable = "lexical" if error.message.startswith("The lexical") else "server" if remote else "vectors"
        remedy = error.remedy
        if self.unusable != "server":
            remedy = (
                f"dossier doctor --repair renames the folder {self.unusable} and makes it again from the catalog; you "
                "can also delete it yourself."
            )
        return Finding("stores", "problem", error.message, remedy)

    # Vectors

    def _check_encoder(self) -> Finding:
        catalog = self.library.catalog
        known = catalog.get_meta("encoder")
        if known is None and not catalog.count()[1]:
            return Finding("encoder", "ok", "No encoder yet: the first document decides.")
        try:
            name = self.library.encoder.name
        except DossierError as error:
            return Finding("encoder", "problem", error.message, error.remedy)
        self.encoder_works = True
        return Finding("encoder", "ok", f"The encoder is the one that made the vectors: {name}.")

    def _check_sample(self) -> list[Finding]:
        try:
            return self._check_vectors()
        except LibraryError as error:
            return [self._unusable(error)]

    def _check_vectors(self) -> list[Finding]:
        """Embed a few passages again; ones made by rules of an older version cannot be, and are left out."""
        import numpy as np

        library, catalog = self.library, self.library.catalog
        rows = catalog.rows(
            "SELECT id, document_id, digest FROM passages WHERE NOT pending AND digest != '' ORDER BY random() LIMIT ?",
            (4 * SAMPLE,),
        )
        texts: dict[str, str] = {}
        broken = {fault.document_id for fault in self.faults} | set(self.differing)  # told of already
        for name, document_id, digest in rows:
            if len(texts) == SAMPLE:
                break
            document = catalog.get_document(document_id) if document_id not in broken else None
            if document is None:
                continue
            passages = catalog.passages_of(document_id)
            made = embedded_texts(document.text, document.title, passages, library.encoder)
            text = next(t for p, t in zip(passages, made, strict=True) if p.id == name)
            if digest_of(text) == digest:
                texts[name] = text
        if not texts:
            return []
        stored = library.vectors.get(list(texts))
        chosen = [name for name in texts if name in stored]
        if not chosen:
            return []
        fresh = library.encoder.encode([texts[name] for name in chosen])
        old = np.asarray([stored[name] for name in chosen], dtype=np.float32)
        if old.shape != fresh.shape:
            cosines = np.zeros(len(chosen), dtype=np.float32)
        else:
            norms = np.linalg.norm(old, axis=1) * np.linalg.norm(fresh, axis=1)
            cosines = np.nan_to_num((old * fresh).sum(axis=1) / np.maximum(norms, 1e-9))
        wrong = [name for name, cosine in zip(chosen, cosines, strict=True) if cosine < SAME]
        self.wrong_vectors = bool(wrong)
        if wrong:
            return [Finding(
                "vectors", "problem", f"{len(wrong)} of {len(chosen)} vectors are not what their passages give now "
                f"(lowest cosine {float(cosines.min()):.2f}).", "dossier doctor --repair makes all vectors anew.",
                tuple(wrong[:_NAMED]),
            )]  # fmt: skip
        return [Finding("vectors", "ok", f"{len(chosen)} passages embedded again gave the stored vectors (lowest "
                        f"cosine {float(cosines.min()):.4f}).")]  # fmt: skip

    def _check_pending(self) -> list[Finding]:
        self.pending = self.library.catalog.count_pending()
        if not self.pending:
            return []
        return [Finding(
            "pending", "note", f"{self.pending:,} passages have no vector yet and are found by their words only.",
            "The next add or sync makes them, dossier doctor --repair does so now.",
        )]  # fmt: skip

    # Repairs

    def repair(self) -> list[Finding]:
        """Put right what was found."""
        if not self.intact:
            return []
        library, done = self.library, list[Finding]()
        if self.unusable in ("vectors", "lexical"):
            with library.writing():
                place = library.set_aside(self.unusable)
            done.append(Finding("stores", "repaired", f"The folder {self.unusable} could not be used and is "
                                f"{place.name if place else 'gone'} now.", "It can be deleted."))  # fmt: skip
        if self.unusable != "server":
            done += self._repair_stores()
        if self.wrong_vectors:
            with library.writing():
                count = remake_vectors(library)
            done.append(Finding("vectors", "repaired", f"{count:,} vectors are made anew."))
        waiting = library.catalog.count_pending()
        if self.encoder_works and self.unusable != "server" and waiting:
            with contextlib.suppress(DocumentError):  # a text that is damaged, which is told of anyway
                library.embed(self.progress)
            made = waiting - library.catalog.count_pending()
            done.append(Finding("pending", "repaired", f"{made:,} vectors were made."))
        return done

    def _repair_stores(self) -> list[Finding]:
        library, done = self.library, list[Finding]()
        if self.unlabelled:
            relabel(library)
            done.append(Finding("stores", "repaired", "The vectors got what filters need."))
        with library.writing():
            strays = forget_strays(library)
            if strays:
                done.append(Finding("documents", "repaired", f"Passages without a document are gone: {len(strays):,}."))
            for fault in self.faults if self.encoder_works else ():
                if fault.mendable and library.catalog.has_document(fault.document_id):
                    kept, made = resplit(library, fault.document_id)
                    done.append(Finding("documents", "repaired", f"{fault.document_id}: {made:,} passages were made "
                                        f"again from its text, {kept:,} kept."))  # fmt: skip
            differing = find_differences(library)
            if differing or library.catalog.announced():
                rebuild_stores(library, differing, lambda now, total: self._tell("rebuild", now, total))
                done.append(Finding("stores", "repaired", f"{len(differing):,} documents were made again in vectors "
                                    "and lexical index."))  # fmt: skip
        return done


_PATIENCE = 1.0  # seconds for a writer that is about to end
_BUSY = Finding(
    "stores", "note", "Another process is writing to the library; the stores were not compared.",
    "Wait for it and run dossier doctor again.",
)  # fmt: skip
