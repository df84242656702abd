"""One question about each of many images: `llm grok-vision describe`."""
