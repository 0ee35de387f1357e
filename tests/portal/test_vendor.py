"""The vendored files are what SHA256SUMS says: nobody edits them by hand."""

from tmall_sp.vendor import refresh


def test_vendored_files_are_those_of_the_lock_file() -> None:
    lines = (line.split("  ", 1) for line in refresh.SUMS.read_text().splitlines())
    recorded = {name: digest for digest, name in lines}

    assert recorded == refresh.sums()


def test_every_icon_of_the_list_is_in_the_sprite() -> None:
    sprite = (refresh.TARGET / "icons.svg").read_text()

    assert [name for name in refresh.ICONS if f'id="{name}"' not in sprite] == []
