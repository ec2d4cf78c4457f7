"""The chat page; the door of gradio."""
