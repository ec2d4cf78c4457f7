"""Answers written by a language model: prompt, stream, sentences, checks. Nothing here trusts what the model writes."""
