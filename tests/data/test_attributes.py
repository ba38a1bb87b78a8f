import codecs
import logging
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from data import attributes
from data.attributes import read_attributes
from tests.support import examples

IMAGES = ("1.png", "2.png", "3.png", "4.png")
SMILES = "image,smile\n1.png,1\n2.png,0\n3.png,1\n4.png,0\n"
CELEBA = """3
5_o_Clock_Shadow Smiling Young
000001.jpg -1  1  1
000002.jpg  1 -1  1
000003.jpg -1 -1  1
"""
CELEBA_IMAGES = ("000001.jpg", "000002.jpg", "000003.jpg")


def read(folder, text, images=IMAGES, name="attributes.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return read_attributes(folder, images)


def column(folder, *cells):
    """The attributes from a table with one column of these cells."""
    return read(folder, "image,a\n" + "".join(f"{index}.png,{cell}\n" for index, cell in enumerate(cells, start=1)))


@pytest.mark.parametrize(
    "cells",
    [
        ("true", "False", "TRUE", "false"),
        ("yes", "no", "Yes", "NO"),
        ("1", "0", "1", "0"),
        ("1", "-1", "+1", "-1"),
        ("T", "F", "t", "f"),
        ("y", "n", "Y", "N"),
        ("1.0", "0.0", "1.0", "0.0"),
        (" 1 ", "0", "1", "0"),
    ],
)
def test_a_column_with_a_pair_of_values_is_a_label(tmp_path, cells):
    known = column(tmp_path, *cells)
    assert known.label_names == ("a",)
    assert known.labels.dtype == bool
    assert known.labels[:, 0].tolist() == [True, False, True, False]
    assert known.factor_names == ()
    assert known.factors.shape == (4, 0)


@pytest.mark.parametrize(("cell", "value"), [("1", True), ("0", False), ("-1", False), ("no", False), ("true", True)])
def test_a_label_may_be_the_same_for_all_images(tmp_path, cell, value):
    assert column(tmp_path, *[cell] * 4).labels[:, 0].tolist() == [value] * 4


def test_a_column_of_other_numbers_is_a_factor_and_a_label_above_its_median(tmp_path):
    known = column(tmp_path, "-20", "1e1", "0.5", "350")
    assert known.factor_names == known.label_names == ("a",)
    assert known.factors[:, 0].tolist() == [-20.0, 10.0, 0.5, 350.0]
    assert known.labels[:, 0].tolist() == [False, True, False, True]


@given(st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.5]), min_size=4, max_size=4))
def test_numbers_that_differ_give_a_label_with_two_sides(tmp_path_factory, values):
    """A column of 1 and 2, or a rating whose largest value is the most frequent, among them."""
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr(attributes.log, "warning", lambda *line: lines.append(line))
        label = column(tmp_path_factory.mktemp("table"), *values).labels[:, 0]
    if set(values) == {1.0}:  # a label
        assert label.all()
    elif len(set(values)) == 1:
        assert not label.any()
        assert lines
    else:
        values = np.array(values)
        assert not lines
        assert values[label].min() > values[~label].max()
        assert label.mean() <= 0.5 or np.median(values) == values.max()


def test_columns_and_images_keep_their_orders(tmp_path):
    text = "image,young,yaw,smile,age\n3.png,yes,3,0,30\n1.png,yes,1,1,10\n2.png,no,2,1,20\n"
    known = read(tmp_path, text, ("1.png", "2.png", "3.png"))
    assert known.label_names == ("young", "yaw", "smile", "age")
    assert known.labels.tolist() == [
        [True, False, True, False],
        [False, False, True, False],
        [True, True, False, True],
    ]
    assert known.factor_names == ("yaw", "age")
    assert known.factors.T.tolist() == [[1, 2, 3], [10, 20, 30]]


@examples(50)
@given(st.lists(st.floats(-1e300, 1e300), min_size=4, max_size=4), st.permutations(IMAGES))
def test_factors_are_exact_for_every_order_of_the_rows(tmp_path_factory, values, order):
    value_of = dict(zip(IMAGES, values, strict=True))
    text = "image,a,b\n" + "".join(f"{image},{value_of[image]!r},{len(order)}\n" for image in order)
    known = read(tmp_path_factory.mktemp("table"), text)
    assert known.factors[:, known.factor_names.index("b")].tolist() == [4.0] * 4
    if "a" in known.factor_names:
        assert known.factors[:, known.factor_names.index("a")].tolist() == values
    else:
        assert set(values) <= {0.0, 1.0} or set(values) <= {-1.0, 1.0}


def test_celeba_is_read_as_text_and_as_csv(tmp_path):
    as_text = read(tmp_path, CELEBA, CELEBA_IMAGES, "list_attr_celeba.txt")
    assert as_text.label_names == ("5_o_Clock_Shadow", "Smiling", "Young")
    assert as_text.labels.tolist() == [[False, True, True], [True, False, True], [False, False, True]]
    (tmp_path / "list_attr_celeba.txt").unlink()
    lines = ["image_id," + CELEBA.splitlines()[1].replace(" ", ",")]
    lines += [",".join(line.split()) for line in CELEBA.splitlines()[2:]]
    (tmp_path / "list_eval_partition.csv").write_text("image_id,partition\n")
    as_csv = read(tmp_path, "\r\n".join(lines), CELEBA_IMAGES, "list_attr_celeba.csv")
    assert as_csv.label_names == as_text.label_names
    np.testing.assert_array_equal(as_csv.labels, as_text.labels)


def test_a_part_of_celeba_may_have_the_whole_list(tmp_path):
    known = read(tmp_path, CELEBA, ("img_align_celeba/000002.jpg",), "list_attr_celeba.txt")
    assert known.labels.tolist() == [[True, False, True]]


def test_rows_give_the_path_of_images_with_the_same_file_name(tmp_path):
    text = "image,smile\nb/1.png,0\n1.png,1\n2.png,1\na/1.png,0\n"
    known = read(tmp_path, text, ("1.png", "a/1.png", "a/2.png", "b/1.png"))
    assert known.labels[:, 0].tolist() == [True, False, True, False]


def test_rows_of_missing_images_count_for_whether_a_column_is_a_label(tmp_path):
    images = ("1.png", "2.png")
    assert read(tmp_path, "image,beards\n1.png,0\n2.png,1\nz.png,7\n", images).factor_names == ("beards",)
    assert read(tmp_path, "image,beards\n1.png,0\n2.png,1\nz.png,1\n", images).factor_names == ()


def test_the_median_is_that_of_the_images_in_the_folder(tmp_path):
    known = read(tmp_path, "image,age\n1.png,20\n2.png,30\nz.png,80\ny.png,81\nx.png,82\n", ("1.png", "2.png"))
    assert known.labels[:, 0].tolist() == [False, True]


def test_the_table_is_the_only_csv_file_or_attributes_csv(tmp_path):
    assert read_attributes(tmp_path, IMAGES) is None
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "attributes.csv").write_text(SMILES)
    (tmp_path / ".hidden.csv").write_text("nothing")
    (tmp_path / "folder.csv").mkdir()
    assert read_attributes(tmp_path, IMAGES) is None
    assert read(tmp_path, SMILES, name="Mine.CSV").label_names == ("smile",)
    (tmp_path / "other.csv").write_text(SMILES)
    with pytest.raises(
        UserError, match=r"holds Mine\.CSV, other\.csv, and each names images; rename .* to attributes\.csv$"
    ):
        read_attributes(tmp_path, IMAGES)
    assert read(tmp_path, SMILES.replace("smile", "grin")).label_names == ("grin",)


def test_a_byte_order_mark_blank_lines_and_quotes_are_removed(tmp_path):
    text = SMILES.replace("smile", '"big smile"').replace("\n", "\r\n\r\n") + " , \r\n"
    (tmp_path / "attributes.csv").write_bytes(codecs.BOM_UTF8 + text.encode())
    known = read_attributes(tmp_path, IMAGES)
    assert known.label_names == ("big smile",)
    assert known.labels[:, 0].tolist() == [True, False, True, False]
    (tmp_path / "attributes.csv").unlink()
    assert read(tmp_path, "\ufeff" + CELEBA, CELEBA_IMAGES, "list_attr_celeba.txt").labels.shape == (3, 3)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (("young", "old", "young", "old"), "it holds 'old'; write only true and false, .*only numbers in a column"),
        (("0.5", "inf", "1.5", "2"), "it holds 'inf'"),
        (("0.5", "1e999", "1.5", "2"), "it holds '1e999'"),
        (("0.5", "1_2", "1.5", "2"), "it holds '1_2'"),
        (("0.5", "٣", "1.5", "2"), "it holds '٣'"),
        (("yes", "no", "maybe", "no"), "it holds 'maybe'"),
        (("true", "no", "true", "no"), "it holds 'no'"),
        (("yes", "0", "yes", "0"), "it holds 'yes'"),
        (("1", "", "0", "1"), "1 of 4 images have no value in it; fill in the values"),
        (("0.5", "nan", "1.5", "N/A"), "2 of 4 images have no value in it; fill in the values"),
        (("", "", "", ""), "4 of 4 images have no value"),
        (
            ("1", "-1", "0", "-1"),
            r"1 of 4 images have no value in it \(0 is unknown in a column with -1\); fill .* or write 0, 1, 2 for",
        ),
        (("-1", "0", "0", "-1.0"), "2 of 4 images have no value in it .0 is unknown in a column with -1"),
        (("1", "-1", "", "0"), "2 of 4 images have no value in it .0 is unknown in a column with -1"),
    ],
)
def test_a_column_that_is_neither_label_nor_factor_is_left_out_with_the_reason(tmp_path, caplog, cells, reason):
    rows = "".join(f"{index}.png,{cell},{index}\n" for index, cell in enumerate(cells, start=1))
    known = read(tmp_path, f"image,a,b\n{rows}")
    assert known.label_names == known.factor_names == ("b",)
    assert known.factors[:, 0].tolist() == [1, 2, 3, 4]
    (line,) = [record.message for record in caplog.records]
    assert re.match(rf"left out column a of .*attributes\.csv: {reason}", line)
    assert column(tmp_path, *cells).labels.shape == (4, 0)


def test_zero_is_a_value_if_the_column_has_numbers_other_than_minus_one_and_one(tmp_path):
    assert column(tmp_path, "-1", "0", "1", "2").factor_names == ("a",)
    assert column(tmp_path, "-1", "0", "1", "0.5").factor_names == ("a",)


def test_unknown_cells_of_other_images_do_not_matter(tmp_path, caplog):
    known = read(tmp_path, "image,a\n1.png,1\n2.png,-1\nx.png,0\ny.png,\n", ("1.png", "2.png"))
    assert known.factor_names == ()
    assert known.labels[:, 0].tolist() == [True, False]
    assert not caplog.records


LABELS = st.sampled_from(["true", "no", "T", "y", "0", "1", "-1", "", "nan", "?", "some text", "2.5"])


@examples(200)
@given(st.lists(LABELS, min_size=4, max_size=4))
def test_every_column_is_a_label_or_a_factor_or_left_out_with_a_warning(tmp_path_factory, cells):
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr(attributes.log, "warning", lambda *line: lines.append(line))
        known = column(tmp_path_factory.mktemp("table"), *cells)
    known_cells = {cell for cell in cells if cell not in ("", "nan", "?")}
    left_out = [line for line in lines if line[0].startswith("left out")]
    assert len(left_out) + known.labels.shape[1] == 1
    if "some text" in known_cells:
        assert left_out
    if known.label_names:
        assert len(known_cells) == len(set(cells))  # no unknown cell has got a value
        is_label = any(known_cells <= kind for kind in ({"true"}, {"no"}, {"T"}, {"y"}, {"0", "1"}, {"-1", "1"}))
        assert known.factor_names == (() if is_label else ("a",))


@pytest.mark.parametrize(
    "names",
    [
        ("./1.png", "./a/2.png"),
        ("1.png", "a//2.png"),
        ("1.png", "a\\2.png"),
        ("faces/1.png", "faces/a/2.png"),
        ("{home}/1.png", "{home}/a/2.png"),
        ("1.png", "2.png"),
    ],
)
def test_an_image_may_be_named_by_the_end_of_its_path_in_any_spelling(tmp_path, names):
    folder = tmp_path / "faces"
    folder.mkdir()
    one, two = (name.format(home=folder) for name in names)
    known = read(folder, f"image,smile\n{one},1\n{two},0\nother/1.png,0\n", ("1.png", "a/2.png"))
    assert known.labels[:, 0].tolist() == [True, False]


def test_an_accent_may_be_a_part_of_its_letter_or_a_character_of_its_own(tmp_path):
    known = read(tmp_path, "image,smile\nren\u00e9.png,1\n2.png,0\n", ("rene\u0301.png", "2.png"))
    assert known.labels[:, 0].tolist() == [True, False]


@pytest.mark.parametrize("header", ["", "Unnamed: 0"])
@pytest.mark.parametrize("numbers", [("0", "1", "2", "3"), ("12", "3", "7", "1")])
def test_the_row_numbers_of_pandas_are_removed(tmp_path, header, numbers):
    header_and_rows = zip((header, *numbers), SMILES.splitlines(), strict=True)
    known = read(tmp_path, "".join(f"{number},{line}\n" for number, line in header_and_rows))
    assert known.label_names == ("smile",)
    assert known.labels[:, 0].tolist() == [True, False, True, False]


def test_a_first_column_without_a_header_may_name_images_even_by_numbers(tmp_path):
    assert read(tmp_path, SMILES.replace("image", "")).label_names == ("smile",)
    known = read(tmp_path, ",a,b\n0,1,5\n1,0,6\n", ("0", "1"))
    assert known.label_names == ("a", "b")


def test_a_table_that_cannot_be_read_is_an_error_with_the_reason(tmp_path, monkeypatch):
    (tmp_path / "attributes.csv").write_text(SMILES)

    def refuse(path, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(UserError, match=r"attributes\.csv cannot be read \(Permission denied\); make it readable, or"):
        read_attributes(tmp_path, IMAGES)


OFFICIAL = ["Img/img_align_celeba", "Img/img_align_celeba_png", "img_align_celeba/img_align_celeba", "img_align_celeba"]


@pytest.mark.parametrize("images", OFFICIAL)
@pytest.mark.parametrize("table", ["Anno/list_attr_celeba.txt", "list_attr_celeba.txt"])
def test_the_list_of_celeba_is_found_from_its_root_and_from_its_folders_of_images(tmp_path, caplog, images, table):
    (tmp_path / images).mkdir(parents=True)
    (tmp_path / "Anno").mkdir()
    (tmp_path / "Anno" / "list_landmarks_celeba.txt").write_text("nothing")
    (tmp_path / table).write_text(CELEBA)
    expected = [[False, True, True], [True, False, True], [False, False, True]]
    for folder in (tmp_path, tmp_path / images, (tmp_path / images).parent):
        below = (tmp_path / images).relative_to(folder)
        names = [(below / name).as_posix() for name in CELEBA_IMAGES]
        with caplog.at_level(logging.INFO):
            caplog.clear()
            assert read_attributes(folder, names).labels.tolist() == expected
        assert ("read labels and factors from" in caplog.text) == (folder != (tmp_path / table).parent)


def test_the_list_of_celeba_is_not_used_for_other_folders(tmp_path):
    (tmp_path / "cats").mkdir()
    (tmp_path / "list_attr_celeba.txt").write_text(CELEBA)
    assert read_attributes(tmp_path / "cats", CELEBA_IMAGES) is None


def test_of_several_csv_files_the_one_that_names_images_is_the_table(tmp_path):
    (tmp_path / "partition.csv").write_text("person,part\nAnna,0\n")
    (tmp_path / "broken.csv").write_bytes(b"\xff\xfe")
    (tmp_path / "labels.csv").write_text(SMILES)
    assert read_attributes(tmp_path, IMAGES).label_names == ("smile",)


LFW = {
    "lfw_allnames.csv": "name,images\nAaron_Eckhart,1\n",
    "pairs.csv": "name,imagenum1,imagenum2,\nAbel_Pacheco,1,4,\n",
    "people.csv": "name,images\n601,\n",
    "lfw_readme.csv": '"Labeled Faces in the Wild"\n',
}


@pytest.mark.parametrize("files", [1, 3, 4])
def test_other_csv_files_are_an_error_that_names_the_folder_to_pass(tmp_path, files):
    for name, text in list(LFW.items())[:files]:
        (tmp_path / name).write_text(text)
    own = "lfw-deepfunneled/lfw-deepfunneled"
    images = [f"{own}/{name}/{name}_0001.jpg" for name in ("Aaron_Eckhart", "Abel_Pacheco")]
    expected = (
        r"no CSV file in .* \(lfw_.*\.csv.*\) names its images in the first column; pass the folder of the images"
    )
    with pytest.raises(UserError, match=rf"{expected}, .*/{own}, with --data") as error:
        read_attributes(tmp_path, images)
    assert ("and 1 more CSV files" in str(error.value)) == (files > 3)


def test_another_csv_file_among_the_images_is_an_error_with_the_remedy(tmp_path):
    (tmp_path / "notes.csv").write_text("who,when\nAnna,1\n")
    with pytest.raises(
        UserError, match=r"\(notes\.csv\) names its images .*; write the names of the image files there, or move files"
    ):
        read_attributes(tmp_path, IMAGES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "holds no attributes"),
        ("\n\n", "holds no attributes"),
        ("image,smile\n", "holds no attributes"),
        ("image\n1.png\n", "holds no attributes"),
        (SMILES.replace(",", ";"), "holds no attributes; .* with commas between the cells"),
        (SMILES + "1.png,0\n", r"'1\.png' has more than one row"),
        (SMILES + "absent.png,1\nabsent.png,0\n", r"'absent\.png' has more than one row"),
        (SMILES + "5.png,1,0\n", r"the row of '5\.png' has 3 cells but the header has 2"),
        (SMILES + "5.png\n", r"the row of '5\.png' has 1 cells but the header has 2"),
        ("image,a,a\n1.png,0,1\n", "2 columns are called a"),
        ("image,a,\n1.png,0,1\n", "'' cannot be the name of a column"),
        ("image,a/b\n1.png,0\n", "'a/b' cannot be the name of a column"),
        ('image,"a\nb"\n1.png,0\n', r"'a\\nb' cannot be the name of a column"),
        ("image,smile\n1.png,0\n4.png,1\n", r"no row for 2 of 4 images, such as 2\.png"),
        ('image,smile\n"1.png,0\n', "is not a CSV table"),
    ],
)
def test_a_wrong_table_is_an_error_with_the_reason(tmp_path, text, expected):
    with pytest.raises(UserError, match=rf"attributes\.csv:? .*{expected}") as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)


def test_a_row_with_a_file_name_of_several_images_belongs_to_none_of_them(tmp_path):
    with pytest.raises(
        UserError, match=r"no row for 2 of 2 images, such as a/1\.png .*; add the rows, with the path in the folder"
    ):
        read(tmp_path, SMILES, ("a/1.png", "b/1.png"))


def test_an_image_named_by_path_and_by_file_name_has_two_rows(tmp_path):
    with pytest.raises(UserError, match=r"'a/1\.png' has more than one row"):
        read(tmp_path, "image,smile\na/1.png,1\n1.png,0\n", ("a/1.png",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CELEBA.split("\n", 1)[1], "does not begin with the number of its rows"),
        ("3\n", "holds no attributes"),
        (CELEBA + "000004.jpg 1 1\n", r"the row of '000004\.jpg' has 3 cells but the header has 4"),
    ],
)
def test_a_damaged_list_of_celeba_is_an_error(tmp_path, text, expected):
    with pytest.raises(UserError, match=rf"list_attr_celeba\.txt.* {expected}"):
        read(tmp_path, text, CELEBA_IMAGES, "list_attr_celeba.txt")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_table_in_another_encoding_than_utf_8_is_an_error(tmp_path, encoding):
    (tmp_path / "attributes.csv").write_bytes(SMILES.replace("smile", "lächelt").encode(encoding))
    with pytest.raises(UserError, match=r"attributes\.csv is not UTF-8 .*; save it as UTF-8"):
        read_attributes(tmp_path, IMAGES)
