"""The REST interface beside the pages: ``server.py`` mounts it; ``FRACTURE_API=1`` turns it on.

It takes uploaded files alone, never a path or a URL, and logs nothing of them.
"""
