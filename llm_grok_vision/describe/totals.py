"""What a run came to: images, tokens, US dollars."""

from dataclasses import dataclass

import llm


@dataclass
class Totals:
    """Counts of images, and of what the answers of this run cost; print it for a sentence."""

    done: int = 0
    done_before: int = 0
    failed: int = 0
    input_tokens: int = 0
    image_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0

    def add(self, usage: llm.Usage) -> None:
        """Count what an answer cost, of use or not; what xAI did not count is nothing."""
        details = usage.details or {}
        self.input_tokens += usage.input or 0
        self.image_tokens += details.get("image_tokens") or 0
        self.output_tokens += usage.output or 0
        self.cost_usd += details.get("cost_usd") or 0.0

    def __str__(self) -> str:
        return (
            f"Images: {self.done:,} done, {self.done_before:,} done before, {self.failed:,} failed."
            f" Tokens: {self.input_tokens:,} in ({self.image_tokens:,} of images),"
            f" {self.output_tokens:,} out. Cost: ${self.cost_usd:.6f}."
        )
