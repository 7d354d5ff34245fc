"""Vector files: as gensim reads and writes them, equal to the bit, whole or not at all."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from neurojit.text import KeyedVectors, Vocabulary

GOLDEN = Path(__file__).parent / "golden"  # written by gensim 4.4; vectors.csv has the numbers
WORDS = ["the", "road", "größe", "日本", "hot", "sun"]
FORMS = [("v.txt", False), ("v.bin", True), ("v.txt.gz", False), ("v.bin.gz", True)]


@pytest.fixture
def keyed():
    return KeyedVectors(WORDS, np.loadtxt(GOLDEN / "vectors.csv", delimiter=",", dtype=np.float32))


def same(first, second):
    assert first.words == second.words
    np.testing.assert_array_equal(first.vectors, second.vectors)


@pytest.mark.parametrize(("name", "binary"), [("gensim.txt", False), ("gensim.txt.gz", False), ("gensim.bin", True)])
def test_reads_what_gensim_wrote(keyed, name, binary):
    same(KeyedVectors.load_word2vec_format(GOLDEN / name, binary), keyed)


@pytest.mark.parametrize(("name", "binary"), [("gensim.txt", False), ("gensim.bin", True)])
def test_writes_what_gensim_would(keyed, tmp_path, name, binary):
    keyed.save_word2vec_format(tmp_path / name, binary)
    assert (tmp_path / name).read_bytes() == (GOLDEN / name).read_bytes()


@pytest.mark.parametrize(("name", "binary"), FORMS)
def test_gensim_reads_it_and_the_reverse(keyed, tmp_path, name, binary):
    gensim = pytest.importorskip("gensim.models")
    keyed.save_word2vec_format(tmp_path / name, binary)
    peer = gensim.KeyedVectors.load_word2vec_format(tmp_path / name, binary=binary)
    assert peer.index_to_key == WORDS
    np.testing.assert_array_equal(peer.vectors, keyed.vectors)
    peer.save_word2vec_format(tmp_path / f"back{name}", binary=binary)
    same(KeyedVectors.load_word2vec_format(tmp_path / f"back{name}", binary), keyed)


@pytest.mark.parametrize(("name", "binary"), FORMS)
def test_round_trip(keyed, tmp_path, name, binary):
    wide = np.zeros((6, 16), np.float32)
    wide[:, :5] = keyed.vectors
    KeyedVectors(WORDS, wide[:, :5]).save_word2vec_format(tmp_path / name, binary)
    same(KeyedVectors.load_word2vec_format(tmp_path / name, binary), keyed)
    first = KeyedVectors.load_word2vec_format(tmp_path / name, binary, limit=2)
    assert first.words == WORDS[:2]


def test_float64_keeps_its_digits_in_text(tmp_path):
    keyed = KeyedVectors(["a"], np.array([[1 / 3, -1e-30, 2.5]]))
    keyed.save_word2vec_format(tmp_path / "v.txt")
    assert (tmp_path / "v.txt").read_text() == "1 3\na 0.3333333333333333 -1e-30 2.5\n"


@pytest.mark.parametrize("memory_map", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_own_format(tmp_path, rng, memory_map, dtype):
    vocabulary = Vocabulary([*WORDS, "with space", ""], range(8), unknown="")
    keyed = KeyedVectors(vocabulary, rng.normal(size=(8, 3)).astype(dtype))
    keyed.save(tmp_path / "v.safetensors")
    read = KeyedVectors.load(tmp_path / "v.safetensors", memory_map=memory_map)
    same(read, keyed)
    assert read.vectors.dtype == dtype
    assert isinstance(read.vectors, np.memmap) is memory_map
    assert read.vocabulary.counts.tolist() == list(range(8))
    assert read.vocabulary.unknown == ""
    assert read.most_similar("road", topn=1) == keyed.most_similar("road", topn=1)


def _text(path, binary):
    KeyedVectors(WORDS, np.ones((6, 5), np.float32)).save_word2vec_format(path, binary)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("binary", "damage", "message"),
    [
        (False, lambda b: b"", "wanted two numbers"),
        (False, lambda b: b"hello world\n", "wanted two numbers"),
        (False, lambda b: b"\x89PNG\r\n\x1a\n" + bytes(200), "wanted two numbers"),
        (False, lambda b: b[: len(b) // 2], "truncated|numbers in line"),
        (False, lambda b: b[:-9], "numbers in line 7, wanted 5"),
        (False, lambda b: b.replace(b"road 1.0", b"road x"), "numbers in line 3, wanted 5"),
        (False, lambda b: b.replace(b"road", b"sun"), "stands twice"),
        (True, lambda b: b[:-2], "ends at word 6 of 6: it is truncated"),
        (True, lambda b: b[:30], "ends at word"),
        (True, lambda b: b"6 5\n", "ends at word 1 of 6"),
        (True, lambda b: b"1 5\n\xff\xfe " + bytes(20), "no file of word vectors"),
    ],
)
def test_damaged_and_foreign_files(tmp_path, binary, damage, message):
    path = tmp_path / "v"
    path.write_bytes(damage(_text(path, binary)))
    with pytest.raises(ValueError, match=message):
        KeyedVectors.load_word2vec_format(path, binary)


def test_a_truncated_archive(tmp_path, keyed):
    path = tmp_path / "v.txt.gz"
    path.write_bytes(gzip.compress(_text(tmp_path / "v", False))[:-10])
    with pytest.raises(ValueError, match="truncated"):
        KeyedVectors.load_word2vec_format(path)


def test_truncated_and_foreign_own_files(tmp_path, keyed):
    path = tmp_path / "v.safetensors"
    keyed.save(path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match="truncated"):
        KeyedVectors.load(path)
    path.write_bytes(b"hello")
    with pytest.raises(ValueError, match=r"neurojit\.vectors"):
        KeyedVectors.load(path)


def test_no_such_file(tmp_path):
    for load in (KeyedVectors.load, KeyedVectors.load_word2vec_format):
        with pytest.raises(FileNotFoundError, match="path: got"):
            load(tmp_path / "none")


def test_nothing_half_written(tmp_path, keyed):
    path = tmp_path / "v.txt"
    path.write_text("old")
    for words in (["a b"], [""], ["a\n"]):
        with pytest.raises(ValueError, match="wanted words without white space"):
            KeyedVectors(words, np.ones((1, 2))).save_word2vec_format(path)
    with pytest.raises(FileNotFoundError, match="a folder that exists"):
        keyed.save_word2vec_format(tmp_path / "none" / "v.txt")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["v.txt"]
