"""What holds for all tests."""

import gc


def pytest_collection_finish():
    # What stands in memory by now, some million objects, need not be searched at each collection.
    gc.freeze()
