"""Training of the grounding model: `python -m rag.grounding.train DATA`. Needs the `dev` extra."""
