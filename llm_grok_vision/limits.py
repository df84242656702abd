"""What is known of xAI's limits: one constant a fact, its evidence above it.

Facts only, never logic: this module and the catalogue are all that the plugin and
the fake server share. Four words say how we know:

DOC       quoted from xAI's own text; a test reads the number back out of the quote.
OBSERVED  seen on the live service by somebody who kept the answer; dated.
ASSUMED   nobody outside xAI knows; our choice.
DISPUTED  sources differ; which one is followed, and why.

GUIDE is "Image Understanding" on docs.x.ai, in the copy whose examples use grok-4.
OPENAPI is "xAI's REST API" 1.0.0, the description that xAI publishes of its endpoints.
BATCH GUIDE is "Batch API" on docs.x.ai; batch.proto and image.proto are in xai-org/xai-proto.
BATCH NOTE is "xAI Batch API", a research note for an adapter of OpenRouter's, public on
GitHub, with answers of the live service of 2026-08-28 and 29.
STACK NOTE is what a team at a hackathon in Belgrade measured on 2026-09-12, public on GitHub.
"""

from typing import Final

# DOC GUIDE: "Maximum image size: 20MiB"
# DISPUTED: xAI's image.proto says 10 MiB, and a probe of December 2025 found 25 MiB
# enforced. The guide is the newest text written for users of this endpoint.
MAX_IMAGE_BYTES: Final = 20 * 1024**2

# DOC GUIDE: "Supported image file types: jpg/jpeg or png."
# DISPUTED: in 2026 the service was seen to take WebP and ICO too.
IMAGE_FORMATS: Final = ("JPEG", "PNG")

# OBSERVED 2025-12: "25MB per image limit (26214400 bytes exact)", a probe of
# grok-2-vision-1212 in badlogic/pi-mono.
SEEN_MAX_IMAGE_BYTES: Final = 25 * 1024**2

# OBSERVED 2025-12 and 2026: an image of 20 MiB passes and two are answered with 413; xAI's
# own command line client counts on 50 * 1024**2.
SEEN_MAX_BODY_BYTES: Final = 50 * 1024**2

# OBSERVED 2026: "does not contain a valid JPG, PNG, WebP, or ICO image."
SEEN_IMAGE_FORMATS: Final = ("JPEG", "PNG", "WebP", "ICO")

# DOC GUIDE: 'The possible values for "detail" are:'
# and then it explains "auto", "the default setting", "low" and "high".
# DISPUTED: the live service was seen (2026) to read any other word as "auto".
IMAGE_DETAILS: Final = ("auto", "low", "high")

# OBSERVED 2026: "Both width and height must be at least 8 pixels."
MIN_IMAGE_SIDE: Final = 8

# OBSERVED 2026: "which is below the minimum of 512 pixels."
MIN_IMAGE_PIXELS: Final = 512

# OBSERVED 2026: xAI's own command line client refuses to send more than this; in
# December 2025 an image of 8000x8000 passed and one of 16000x16000 did not.
MAX_IMAGE_PIXELS: Final = 178_956_970

# DOC GUIDE: "broken down into tiles of 448x448 pixels"
TILE_SIDE: Final = 448

# DOC GUIDE: "each tile will consume 256 tokens"
TOKENS_PER_TILE: Final = 256

# DOC GUIDE: "There is a maximum limit of 6 tiles"
# With the extra tile that is 7 * 256 = 1,792: the guide's "less than 1,792 tokens"
# has to be read as "at most".
MAX_TILES: Final = 6

# OBSERVED 2026: grok-4.3 bills 128x128 pixels as 18 tokens and 239x178 as 50, which is
# ceil(width / 32) * ceil(height / 32) + 2; pairs of grok-4.5 differ by the same rule.
PATCH_SIDE: Final = 32

# OBSERVED 2026, as above.
EXTRA_PATCHES: Final = 2

# OBSERVED in the STACK NOTE, of grok-4.6: 1024x1024 pixels cost 1026 tokens at `high` and 258 at
# `low`, for which the longer side is cut to 512 pixels. ASSUMED of other models with patches.
LOW_SIDE: Final = 512

# DOC image.proto: "will timeout after 5 seconds"
FETCH_SECONDS: Final = 5.0

# DOC image.proto: 'fetched using "XaiImageApiFetch/1.0" user agent'
FETCH_USER_AGENT: Final = "XaiImageApiFetch/1.0"

# OBSERVED 2026, in the order in which the service names them when it refuses another.
FETCH_MEDIA_TYPES: Final = ("image/jpeg", "image/jpg", "image/png", "image/webp")

# DOC OPENAPI: "What sampling temperature to use, between 0 and 2."
MAX_TEMPERATURE: Final = 2.0

# DOC OPENAPI: presence_penalty and frequency_penalty have "minimum":-2 and "maximum":2
MAX_PENALTY: Final = 2.0

# DOC OPENAPI: top_p has "maximum":1 and "exclusiveMinimum":0
MAX_TOP_P: Final = 1.0

# DOC OPENAPI: "Up to 4 sequences where the API will stop generating further tokens."
MAX_STOP_SEQUENCES: Final = 4

# DOC OPENAPI: "A max of 350 functions are supported."
MAX_TOOLS: Final = 350

# DOC OPENAPI: "A maximum of 5 websites can be selected."
MAX_SEARCH_DOMAINS: Final = 5

# DOC OPENAPI: allowed_x_handles and excluded_x_handles have "maxItems":10
MAX_SEARCH_HANDLES: Final = 10

# OBSERVED 2026: 838 of 838 recorded usages cost what this unit says, to the tick.
TICKS_PER_USD: Final = 10_000_000_000

# DOC BATCH GUIDE, 2025: "maximum payload size of 25MB"
# ASSUMED: of 25,000,000 and 25 * 1024**2 the smaller, which holds in both readings.
MAX_BATCH_PAYLOAD: Final = 25_000_000

# DOC BATCH GUIDE, in the words of the BATCH NOTE: "50 000 requests per file"
MAX_BATCH_FILE_REQUESTS: Final = 50_000

# DOC BATCH GUIDE, in the words of the BATCH NOTE: "25 MB per request line"
# ASSUMED: the smaller reading, as above.
MAX_BATCH_LINE: Final = 25_000_000

# OBSERVED 2026-08-10: a request to grok-4.3 in a batch cost 80 % of its price, to the tick.
# DISPUTED: the BATCH GUIDE once said "50% off"; it now speaks of "reduced pricing".
BATCH_PRICE_PERCENT: Final = 80

# OBSERVED GET /v1/models 2026-08-12 in GulLabs/any-llm: each price "_long_context" is twice the
# other. DOC docs.x.ai/developers/rest-api-reference/inference/models: from "at or above" the
# threshold on.
LONG_CONTEXT_FACTOR: Final = 2

# OBSERVED 2026-08-12 in GulLabs/any-llm: an answer of the tier "priority" cost twice its tokens.
# DOC docs.x.ai/developers/advanced-api-usage/priority-processing: cached ones "before the
# multiplier".
PRIORITY_FACTOR: Final = 2

# OBSERVED 2026-08-10: a batch of that day was to expire on 2026-09-09.
BATCH_DAYS: Final = 30

# DOC batch.proto, of batches, requests and results: "to return on a page. Defaults to 100."
BATCH_PAGE: Final = 100

# DOC xAI's REST reference, in the words of the BATCH NOTE: "max `limit` 1000"
MAX_BATCH_PAGE: Final = 1000

# OBSERVED 2026: what a search of the web adds to a bill, to the tick, and on 2026-08-24 in
# GulLabs/any-llm a search of X. ASSUMED for the other tools that run at xAI.
TICKS_PER_SERVER_TOOL_CALL: Final = 50_000_000

# DOC OPENAPI: an upload of more than 50 MB is answered with 413.
# ASSUMED: of 50,000,000 and 50 * 1024**2 the larger, which refuses nothing that is allowed.
MAX_FILE_BYTES: Final = 50 * 1024**2

# DOC docs.x.ai/developers/files/managing-files: seconds, "between 3600 (1 hour) and 2592000 (30
# days), inclusive"
MIN_FILE_SECONDS: Final = 3600

# DOC, in the same sentence.
MAX_FILE_SECONDS: Final = 2_592_000
