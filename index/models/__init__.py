"""Models that ship with Dossier, and the scripts that build them."""
