"""The conversation with Asana: requests, answers, tokens, rate limit. Imports nothing of ours."""
