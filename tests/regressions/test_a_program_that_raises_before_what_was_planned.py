"""An execution that raises before it has come to the step that was planned for it was turned round all the same: the
search looked for states that it had just dropped (IndexError). It tells of no race; what it raises is the finding."""

import threading

import pytest

import hocket


@pytest.mark.parametrize("strategy", ["optimal", "source"])
@pytest.mark.parametrize("steps", [-1, 1, 3])
def test_it_is_reported_and_not_turned_round(steps, strategy):
    runs = []

    def body():
        runs.append("run")
        locks, touched = [threading.Lock(), threading.Lock()], []

        def touch():
            for lock in locks:
                touched.append(lock)
                if len(runs) == 4 and len(touched) > steps:
                    raise ValueError("in the fourth run only")
                with lock:
                    pass

        if steps < 0 and len(runs) == 4:
            raise ValueError("before it begins")
        threads = [threading.Thread(target=touch) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    result = hocket.explore(body, data="off", strategy=strategy)
    assert (result.verdict, result.failure.kind) == ("failed", "nondeterminism")  # it does not happen when run again
