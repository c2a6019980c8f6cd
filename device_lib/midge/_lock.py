# A lock for where there are no threads. There still are callbacks, each of which ends before what it interrupts goes
# on.


class Lock:
    def __init__(self):
        self.held = False  # from the start: a new attribute takes heap, which a prediction must not

    def acquire(self, wait):
        if self.held:
            return False
        self.held = True
        return True

    def release(self):
        self.held = False
