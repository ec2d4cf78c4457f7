"""Faces for people and programs: command line and chat page."""
