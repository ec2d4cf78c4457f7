"""What a turn of a conversation is, and what it leans on: understood without a language model.

`small_talk` and `meta` answer without a search; `kinds` tells the others apart; `switch` decides how much of the
conversation is mixed into a query; `narrow`, `correct` and `clarify` handle what a search alone cannot; `understand`
puts them together.
"""
