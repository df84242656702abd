"""What readers of images raise."""


class DamagedError(Exception):
    """The bytes end, or contradict themselves, before the image does."""
