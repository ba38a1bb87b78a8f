import logging

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from PIL import Image

from common.errors import UserError
from common.names import printable
from data.image_folder import image_folder
from tests import odd_names
from tests.data.support_images import SIZE, save
from tests.support import examples


def test_sub_folders_are_classes_and_images_are_sorted_by_path(tmp_path):
    for name in ("smile/b.png", "non_smile/deep/c.png", "smile/a.png", "smile/.hidden.png", "smile/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("") if path.suffix == ".txt" else save(path)
    data = image_folder(tmp_path, SIZE, 1)
    assert data.names == ("non_smile/deep/c.png", "smile/a.png", "smile/b.png")
    assert data.label_names == ("non_smile", "smile")
    assert data.label("smile").tolist() == [False, True, True]
    assert data.images.all().shape == (3, SIZE, SIZE, 1)


def test_a_folder_without_sub_folders_has_no_labels(tmp_path):
    save(tmp_path / "a.png")
    data = image_folder(tmp_path, SIZE, 3)
    assert data.classes is None
    assert data.labels.shape == (1, 0)


def test_a_table_gives_labels_and_factors_and_its_smile_gives_the_classes(tmp_path):
    for name in ("a", "b", "c"):
        save(tmp_path / f"{name}.png")
    (tmp_path / "attributes.csv").write_text("image,young,Smiling,age\nc.png,yes,1,30\nb.png,no,0,20\na.png,no,1,40\n")
    data = image_folder(tmp_path, SIZE, 1)
    assert data.label_names == ("young", "Smiling", "age")
    assert data.labels.tolist() == [[False, True, True], [False, False, False], [True, True, False]]
    assert data.classes.tolist() == ["smile", "non_smile", "smile"]
    assert data.factor_names == ("age",)
    assert data.factors.tolist() == [[40.0], [20.0], [30.0]]


def test_a_table_without_a_smile_gives_no_classes(tmp_path):
    save(tmp_path / "a.png")
    (tmp_path / "attributes.csv").write_text("image,young\na.png,1\n")
    assert image_folder(tmp_path, SIZE, 1).classes is None


def test_the_classes_of_celeba_are_its_smiles_not_its_only_sub_folder(tmp_path):
    for index in (2, 3):
        save(tmp_path / "img_align_celeba" / f"{index:06d}.jpg")
    (tmp_path / "list_attr_celeba.txt").write_text(
        "3\nSmiling Young\n000001.jpg  1  1\n000002.jpg -1  1\n000003.jpg  1 -1\n"
    )
    data = image_folder(tmp_path, SIZE, 1)
    assert data.names == ("img_align_celeba/000002.jpg", "img_align_celeba/000003.jpg")
    assert data.label_names == ("Smiling", "Young")
    assert data.labels.tolist() == [[False, True], [True, False]]
    assert data.classes.tolist() == ["non_smile", "smile"]


def test_labels_of_a_table_are_added_to_those_of_class_sub_folders(tmp_path):
    for name in ("cat/a.png", "dog/b.png", "dog/c.png"):
        save(tmp_path / name)
    (tmp_path / "attributes.csv").write_text("image,smile\na.png,1\nb.png,1\nc.png,0\n")
    data = image_folder(tmp_path, SIZE, 1)
    assert data.label_names == ("cat", "dog", "smile")
    assert data.labels.tolist() == [[True, False, True], [False, True, True], [False, True, False]]
    assert data.classes.tolist() == ["cat", "dog", "dog"]
    (tmp_path / "attributes.csv").write_text("image,dog\na.png,1\nb.png,1\nc.png,0\n")
    with pytest.raises(UserError, match=r"dog is a sub-folder of .* and a column of its table; rename one"):
        image_folder(tmp_path, SIZE, 1)


def test_a_wrong_table_is_an_error_before_any_image_is_decoded(tmp_path, monkeypatch):
    save(tmp_path / "a.png")
    (tmp_path / "attributes.csv").write_text("image,smile\nb.png,1\n")
    monkeypatch.setattr(Image, "open", lambda *_: pytest.fail("decoded"))
    with pytest.raises(UserError, match=r"no row for 1 of 1 images, such as a\.png"):
        image_folder(tmp_path, SIZE, 1)


def test_labels_and_factors_stay_with_their_images_when_an_image_is_left_out(tmp_path):
    for index in range(30):
        save(tmp_path / "ab"[index % 2] / f"{index:02d}.png")
    rows = "".join(f"{index:02d}.png,{index}\n" for index in range(30))
    (tmp_path / "attributes.csv").write_text(f"image,number\n{rows}")
    (tmp_path / "a" / "12.png").write_text("no image")
    data = image_folder(tmp_path, SIZE, 1)
    numbers = [int(name[2:4]) for name in data.names]
    assert len(numbers) == 29
    assert data.factors[:, 0].tolist() == numbers
    assert data.label("number").tolist() == [number > 14.5 for number in numbers]
    assert data.classes.tolist() == ["ab"[number % 2] for number in numbers]


def test_a_damaged_file_is_left_out_with_a_warning(tmp_path, caplog):
    for index in range(30):
        save(tmp_path / f"{index:02d}.png")
    (tmp_path / "11.png").write_bytes((tmp_path / "11.png").read_bytes()[:60])
    with caplog.at_level(logging.WARNING):
        data = image_folder(tmp_path, SIZE, 1)
    assert len(data.images.all()) == 29
    assert "11.png" not in data.names
    assert [record.message for record in caplog.records if "11.png" in record.message]


def test_many_damaged_files_are_an_error(tmp_path):
    save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_text("no image")
    with pytest.raises(UserError, match=r"1 of 2 images .* b\.jpg"):
        image_folder(tmp_path, SIZE, 1)


def test_empty_folders_missing_folders_and_files_have_different_errors(tmp_path):
    with pytest.raises(UserError, match="no images in"):
        image_folder(tmp_path, SIZE, 1)
    with pytest.raises(UserError, match="no folder"):
        image_folder(tmp_path / "absent", SIZE, 1)
    with pytest.raises(UserError, match="is a file"):
        image_folder(save(tmp_path / "a.png"), SIZE, 1)


@examples(40, suppress_health_check=[HealthCheck.too_slow])
@given(odd_names.names, st.lists(st.tuples(odd_names.names, odd_names.names), min_size=2, max_size=5, unique=True))
def test_files_and_folders_with_odd_names_are_found_and_their_classes_can_be_printed(tmp_path_factory, root, paths):
    folder = tmp_path_factory.mktemp("folder") / root
    for name, file in paths:
        save(folder / name / file, format="PNG")
    folders = {name for name, _ in paths}
    if len({printable(name) for name in folders}) < len(folders):
        with pytest.raises(UserError, match=r"sub-folders of .* are printed as .*; rename all but one"):
            image_folder(folder, SIZE, 1)
        return
    data = image_folder(folder, SIZE, 1)
    assert set(data.names) == {f"{name}/{file}" for name, file in paths}
    assert all((folder / name).is_file() for name in data.names)
    assert set(data.label_names) == ({printable(name) for name in folders} if len(folders) > 1 else set())
    for place, name in enumerate(data.names):
        for label, has in zip(data.label_names, data.labels[place], strict=True):
            assert has == (label == printable(name.partition("/")[0]))


def test_two_folders_with_the_same_printable_name_are_an_error(tmp_path):
    for name in ("ren\udce9", r"ren\udce9"):
        save(tmp_path / name / "a.png")
    with pytest.raises(UserError, match=r"2 sub-folders of .* are printed as ren\\udce9; rename all but one"):
        image_folder(tmp_path, SIZE, 1)


def test_a_message_about_an_odd_name_is_one_line(tmp_path, caplog):
    for index in range(30):
        save(tmp_path / f"{index:02d}.png")
    (tmp_path / "a\nb\udce9.png").write_text("no image")
    image_folder(tmp_path, SIZE, 1)
    (line,) = [record.message for record in caplog.records]
    assert line == rf"left out {tmp_path}/a\nb\udce9.png: it is not an image that Pillow can read"
