from hypothesis import given
from hypothesis import strategies as st

from common.files import write_text
from common.names import LONGEST, file_name, printable
from tests import odd_names


@given(st.one_of(odd_names.names, st.text()))
def test_a_printable_name_is_one_line_of_utf_8_and_does_not_change_again(name):
    shown = printable(name)
    assert len((shown + ".").splitlines()) == 1
    assert shown.encode().decode() == shown
    assert shown.isprintable()
    assert printable(shown) == shown
    if name.isprintable():
        assert shown == name


def test_characters_that_cannot_be_shown_become_pythons_escapes():
    assert printable("ren\udce9") == r"ren\udce9"
    assert printable("a\nb\x1b") == r"a\nb\x1b"
    assert printable("$x_1^$ 日本 é") == "$x_1^$ 日本 é"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=400))
def test_a_file_name_is_short_enough_and_keeps_its_suffix(stem):
    name = file_name(stem, ".png")
    assert len(name.encode()) <= LONGEST
    assert name.endswith(".png")
    assert name == f"{stem}.png" or len(stem.encode()) > LONGEST - 4


def test_long_names_with_different_ends_give_different_files(tmp_path):
    assert file_name("L" * 300 + "a", ".png") != file_name("L" * 300 + "b", ".png")


@given(odd_names.names)
def test_a_text_with_any_name_in_it_can_be_written(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("folder") / "a.txt"
    write_text(path, f"<{name}>")
    assert path.read_bytes().decode("utf-8").startswith("<")


@given(odd_names.names)
def test_a_file_of_any_name_can_be_written_whole(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("folder") / name
    write_text(path, "text")
    assert [file.name for file in path.parent.iterdir()] == [name]
