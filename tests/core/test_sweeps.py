"""A sweep does what it can, and holds no worker for an outside system that doesn't answer."""

from tmall_sp.core.sweeps import for_each


def test_one_bad_row_keeps_no_other() -> None:
    done = []

    def work(pk: int) -> bool:
        if pk == 2:
            raise ValueError("bad row")
        done.append(pk)
        return True

    for_each([1, 2, 3], work)

    assert done == [1, 3]


def test_it_ends_when_nothing_answers() -> None:
    asked = []

    def work(pk: int) -> bool:
        asked.append(pk)
        return pk in {1, 4}

    for_each(range(1, 100), work)

    assert asked == [1, 2, 3, 4, 5, 6, 7]
