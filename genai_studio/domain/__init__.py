"""What a generation is. Pydantic and the standard library only: no torch, no gradio, no input or output."""
