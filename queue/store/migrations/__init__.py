"""The steps that make the tables, oldest first, run by `threadcast.queue.store.migrate`.

A step is written by hand, spells out every name and list, and never changes once it is released.
"""
