"""What callers can ask for, whatever the path is called."""

from enum import StrEnum


class Endpoint(StrEnum):
    """One kind of exchange; the values are what scopes, records and reports say."""

    CHAT = "chat"
    RESPONSES = "responses"
    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    EMBEDDINGS = "embeddings"
    MODELS = "models"
