"""From 3.12 on a call of `re.Pattern.match` in code that is only watched ended the process by a segmentation fault.

CPython hands a method of this kind to the watcher unbound, and binding it again without a type reads a null pointer.
"""

import io
import threading
import tokenize

import hocket


def reads():
    return tokenize.detect_encoding(io.BytesIO(b"# \n").readline)[0]  # which matches each line with a pattern


def test_a_pattern_that_is_matched_in_watched_code_ends_nothing():
    def both():
        thread = threading.Thread(target=reads)
        thread.start()
        found = reads()
        thread.join()
        return found

    assert set(hocket.explore(both).outcomes) == {"utf-8"}
