"""The wire formats, one module each: bytes become a request, a completion becomes bytes."""
