from hypothesis import settings

# The duration of an example depends only on the machine.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")
