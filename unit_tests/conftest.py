from hypothesis import settings

# How long an example takes says something of the machine only.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")
