"""LLM plugin for xAI's vision models; the hooks are in `llm_grok_vision.plugin`."""
