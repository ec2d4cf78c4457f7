"""How good is it: cases, metrics, runs and floors."""
