"""The state that several processes or machines have together, in Redis.

Each module has the shared kind of something that a server has alone otherwise. API keys are
not written there.
"""
