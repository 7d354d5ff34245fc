"""Word vectors in files."""

from neurojit.core.statefile import read_state, write_state
from neurojit.text import vector_files

_KIND = "neurojit.vectors"


class StoredVectors:
    """What of `KeyedVectors` reads and writes files."""

    def save_word2vec_format(self, path, binary=False):
        """Write the vectors in the format of the original word2vec, which gensim and others read; whole or not at all.

        Parameters
        ----------
        path : str or os.PathLike
            A name ending in .gz is packed.
        binary : bool, default=False
            Binary float32, or text with every number to its last digit.

        Raises
        ------
        ValueError
            If a word has white space in it, which the format cannot hold.
        FileNotFoundError
            If the folder of `path` does not exist.
        """
        vector_files.save(path, self.words, self.vectors, binary)

    @classmethod
    def load_word2vec_format(cls, path, binary=False, limit=None):
        """Read vectors in the format of the original word2vec.

        Parameters
        ----------
        path : str or os.PathLike
            A name ending in .gz is unpacked.
        binary : bool, default=False
        limit : int or None, default=None
            Read so many first words at most.

        Returns
        -------
        KeyedVectors
            float32.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is truncated or of another format.
        """
        return cls(*vector_files.load(path, binary, limit))

    def save(self, path):
        """Write vectors, words and counts to one safetensors file: no pickle, whole or not at all.

        Parameters
        ----------
        path : str or os.PathLike

        Raises
        ------
        FileNotFoundError
            If the folder of `path` does not exist.
        """
        write_state(path, {"vectors": self.vectors, **vector_files.words_state(self.vocabulary)}, _KIND)

    @classmethod
    def load(cls, path, memory_map=False):
        """Read what `save` wrote.

        Parameters
        ----------
        path : str or os.PathLike
        memory_map : bool, default=False
            Whether to leave the vectors in the file, read-only: the system reads what is used, and processes share it.

        Returns
        -------
        KeyedVectors

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is truncated or of another kind.
        """
        state = read_state(path, _KIND)
        vectors = vector_files.memory_map(path, "vectors") if memory_map else state["vectors"]
        return cls(vector_files.vocabulary(state), vectors)
