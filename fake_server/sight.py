"""What a model sees of a request: the words of its texts, and its images, wherever they are."""

import asyncio
from dataclasses import dataclass

from llm_grok_vision.limits import EXTRA_PATCHES

from .accounting import (
    count_image_tokens,
    count_patches,
    count_seen_tiles,
    count_text_tokens,
    count_tiles,
)
from .catalogue import Model
from .contract import Contract
from .fetch import Sources
from .files import Files
from .images import Picture, decoded, hashed, is_data_url, read
from .journal import Kept, LoggedImage, LoggedMessage, LoggedRequest
from .request import ChatRequest, FilePart, ImagePart, TextPart

# Bytes of an image below which a thread costs more than it gives: others wait some ms at most.
_LARGE = 4 * 1024**2


@dataclass
class Sight:
    """Looks at requests; `images` keeps the bytes of what it saw."""

    sources: Sources
    files: Files
    images: Kept
    contract: Contract

    async def look(
        self, request: ChatRequest, model: Model, log: LoggedRequest
    ) -> tuple[int, list[LoggedImage]]:
        """Note each message as the model sees it; give the tokens of all texts, and all images."""
        text_tokens = 0
        images: list[LoggedImage] = []
        for message in request.messages:
            noted = LoggedMessage(message.role)
            log.messages.append(noted)
            for part in message.parts:
                if isinstance(part, TextPart):
                    noted.parts.append(part.text)
                    text_tokens += count_text_tokens(part.text)
                elif isinstance(part, (ImagePart, FilePart)):
                    image = await self._image(part, model)
                    noted.parts.append(image)
                    images.append(image)
        return text_tokens, images

    async def _image(self, part: ImagePart | FilePart, model: Model) -> LoggedImage:
        url, declared = "", ""
        if isinstance(part, FilePart):
            data, source = self.files.get(part.file_id).data, "file"
        elif is_data_url(part.url):
            source = "data"
            if len(part.url) < _LARGE:
                data, declared = decoded(part.url, self.contract)
            else:
                data, declared = await asyncio.to_thread(decoded, part.url, self.contract)
        else:
            fetched = await self.sources.fetch(part.url)
            data, declared, source = fetched.data, fetched.declared, fetched.source
            url = part.url
        picture, sha256 = await self._read(data, declared)
        tiles, patches, tokens = _count(self.contract, model, picture, part.detail)
        self.images.put(sha256, data)
        return LoggedImage(
            format=picture.format,
            width=picture.width,
            height=picture.height,
            size=picture.size,
            detail=part.detail,
            tiles=tiles,
            tokens=tokens,
            source=source,
            url=url,
            declared=picture.declared,
            patches=patches,
            sha256=sha256,
        )

    async def _read(self, data: bytes, declared: str) -> tuple[Picture, str]:
        """Read an image, and give its hash; a large one beside the loop, which serves others meanwhile."""
        if len(data) < _LARGE:
            return read(data, declared, self.contract), self._hashed(data)
        return await asyncio.gather(
            asyncio.to_thread(read, data, declared, self.contract),
            asyncio.to_thread(self._hashed, data),
        )

    def _hashed(self, data: bytes) -> str:
        return self.images.name_of(data) or hashed(data)


def _count(contract: Contract, model: Model, picture: Picture, detail: str) -> tuple[int, int, int]:
    """Count the tiles, the patches and the tokens of an image."""
    width, height = picture.width, picture.height
    if contract.by_model and model.accounting == "patches":
        patches = count_patches(width, height, detail)
        return 0, patches, patches + EXTRA_PATCHES
    rule = count_seen_tiles if contract.by_model else count_tiles
    tiles = rule(width, height, detail)
    return tiles, 0, count_image_tokens(tiles)
