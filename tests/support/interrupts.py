"""A child that hears of Ctrl-C even where the tests run in the background, whose children would not."""

# Of the code that it begins with.
HOOK = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
