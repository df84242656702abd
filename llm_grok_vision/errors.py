"""Everything that this plugin raises, as one tree, split by whose fault it is.

GrokError                    catch this for all of them
 +- NoKeyError               no API key was found
 +- InvalidSetting           a setting of yours that cannot work (XAI_API_BASE, keys.json)
 +- UnsupportedOption        an option that the model, or its endpoint, does not take
 +- InvalidTool              a parameter that one of xAI's own tools does not take
 +- EmptyPrompt              there is nothing to send
 +- UnsendableText           some of it is half of a character
 +- ImageError               yours: an image was not sent, `name` says which
 |   +- ImageNotReadable     the file is gone, the address has no answer
 |   +- UnsupportedImage     neither PNG nor JPEG by its bytes, nor converted to one
 |   +- DamagedImage         empty, cut short or damaged
 |   +- ImageTooLarge        too many bytes or pixels, and not scaled down
 |   +- ImageTooSmall        too few pixels
 +- ApiError                 theirs: `status`, `code` and xAI's own words
 |   +- InvalidKey, PermissionDenied, NotFound
 |   +- RequestRefused       something in the request
 |   |   +- ImageRefused     an image in it
 |   |   +- ReasoningRefused reasoning of earlier turns, which xAI cannot read any more
 |   +- RateLimited, ServerError         tried again before they are raised
 +- UnusableAnswer           the answer is not what a schema asked for
 +- ConnectionFailed         no answer, or only the part of one that is `partial_text`
     +- TimedOut
     +- StreamInterrupted

They are `llm.ModelError` for Python and `click.ClickException` for the command line,
because `llm chat` shows a traceback for anything else.
"""

import click
import llm


class GrokError(llm.ModelError, click.ClickException):
    """Something went wrong between LLM and xAI; `str()` is a sentence for the user.

    `partial_text` is the part of an answer that had come before.
    """

    partial_text = ""
    _more = ""

    def add_advice(self, line: str) -> None:
        """Put another line below the sentence."""
        self._more += f"\n{line}"

    def __str__(self) -> str:
        return f"{self.message}{self._more}"

    def format_message(self) -> str:
        """Give what click shows."""
        return str(self)


class NoKeyError(GrokError, llm.NeedsKeyException):
    """No API key was given, stored or set in the environment."""


class InvalidSetting(GrokError):
    """A setting on this machine that cannot work."""


class InvalidAddress(InvalidSetting):
    """XAI_API_BASE is no address of a service."""

    def __init__(self) -> None:
        super().__init__("XAI_API_BASE is not an address like https://api.x.ai/v1.")


class UnsupportedOption(GrokError):
    """An option, or a value of it, that the model or its endpoint does not take."""


class InvalidTool(GrokError, ValueError):
    """A parameter that one of xAI's own tools does not take."""


class EmptyPrompt(GrokError):
    """There is nothing to send: no text and no image."""


class UnsendableText(GrokError):
    """The prompt holds half of a character, or a byte that is no text in UTF-8."""

    def __init__(self) -> None:
        super().__init__(
            "The prompt, its tools or what came before it hold half of a character, or a byte that"
            " is no text in UTF-8; it cannot be sent. Write it anew."
        )


class ImageError(GrokError):
    """An image that was not sent; `name` is its path, or what else is known of it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name = name


class ImageNotReadable(ImageError):
    """The file is gone or may not be read, the address has no answer."""


class UnsupportedImage(ImageError):
    """The bytes are neither PNG nor JPEG, and were not converted."""


class DamagedImage(ImageError):
    """The bytes begin like an image and do not end like one."""


class ImageTooLarge(ImageError):
    """More bytes or pixels than xAI takes, or than can be scaled down here."""


class ImageTooSmall(ImageError):
    """Fewer pixels than xAI takes."""


class ApiError(GrokError):
    """xAI answered with an error; `error` is its text and `code` its code, if it gave one.

    `retry_after` is the wait in seconds that the answer asked for, or None.
    """

    retry_after: float | None = None

    def __init__(self, status: int, code: str, error: str, advice: str) -> None:
        super().__init__(f"{error}\n{advice}")
        self.status = status
        self.code = code
        self.error = error


class InvalidKey(ApiError):
    """The API key is missing or wrong."""


class PermissionDenied(ApiError):
    """The key is good, what it asked for is not allowed."""


class NotFound(ApiError):
    """There is no such model, or no such address."""


class RequestRefused(ApiError):
    """xAI refused what was in the request."""


class ImageRefused(RequestRefused):
    """xAI refused an image in the request, or could not fetch it."""


class ReasoningRefused(RequestRefused):
    """xAI could not read its own encrypted reasoning, which came back to it."""


class RateLimited(ApiError):
    """Too much was asked in too short a time."""


class ServerError(ApiError):
    """The service itself failed, or is too busy."""


class UnusableAnswer(GrokError):
    """The answer is not what the schema asked for."""


class ConnectionFailed(GrokError):
    """The service could not be reached, or not to the end of its answer."""

    def __init__(self, message: str, partial_text: str = "") -> None:
        super().__init__(message)
        self.partial_text = partial_text


class TimedOut(ConnectionFailed):
    """The service took too long."""


class StreamInterrupted(ConnectionFailed):
    """The answer stopped before its end."""
