"""The wire formats, one module each: a prompt becomes a body, answers become events."""
