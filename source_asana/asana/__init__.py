"""The conversation with Asana: requests, answers, tokens, rate limit. Knows nothing of Airbyte."""
