"""Which tree of a forest a node is in, while nodes are linked and cut.

Rules of this file:

* A root is looked for by walking up, which is what mail asks for: its threads are shallow.
* Who makes threads deep and asks often uses up the steps that walking may take; from then on
  a question costs the logarithm of the forest (a link-cut tree: Sleator and Tarjan, 1983).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

__all__ = ["Ancestry", "Paths"]

#: Steps up for each node, and of one walk, before walking is given up.
_STEPS_EACH: Final = 16
_STEPS_LONG: Final = 5_000
#: Steps of a piece of work when it has been.
_STEPS_TURN: Final = 1_000


class Ancestry:
    """The parents of nodes, which are numbers from 0; -1 is no parent."""

    __slots__ = ("_steps", "_with_children", "parents", "paths", "walked")

    def __init__(self, count: int) -> None:
        #: Where the parent is taken away, unless there are `paths`.
        self.parents = [-1] * count
        #: Steps that were walked.
        self.walked = 0
        #: Walking has been given up.
        self.paths: Paths | None = None
        self._with_children = bytearray(count)
        self._steps = _STEPS_EACH * count

    def add(self) -> int:
        """One more node, and its number."""
        self.parents.append(-1)
        self._with_children.append(0)
        self._steps += _STEPS_EACH
        if self.paths is not None:
            self.paths.add()
        return len(self.parents) - 1

    def link(self, child: int, parent: int) -> bool:
        """Give a node that has none this parent, unless that would introduce a loop.

        False: it is not decided, the answer is too far up; `paths` is there.
        """
        # A root is above another node exactly when it is that node's root.
        if self.paths is not None:
            return False
        if self._with_children[child]:
            root = self._root(parent)
            if root < 0:
                self.paths = Paths(self.parents)
                return False
            if root == child:
                return True
        if child != parent:
            self.parents[child] = parent
            self._with_children[parent] = 1
        return True

    def _root(self, node: int) -> int:
        parents = self.parents
        most = steps = min(self._steps, _STEPS_LONG)
        while (parent := parents[node]) >= 0 and steps:
            node = parent
            steps -= 1
        self._steps -= most - steps
        self.walked += most - steps
        return node if parent < 0 else -1


class Paths:
    """Each tree cut into paths, each path a splay tree with those nearer the root to the left.

    What may take long yields now and then.
    """

    __slots__ = ("_left", "_parents", "_right", "_steps", "_up")

    def __init__(self, parents: list[int]) -> None:
        self._parents = parents
        #: The parent in the splay tree; of a splay tree's root, the node that its path hangs from.
        self._up = list(parents)
        self._left = [-1] * len(parents)
        self._right = [-1] * len(parents)
        self._steps = 0

    def add(self) -> None:
        """One more node."""
        self._up.append(-1)
        self._left.append(-1)
        self._right.append(-1)

    def link(self, child: int, parent: int) -> Generator[None, None, None]:
        """As `Ancestry.link`."""
        if child == parent:
            return
        yield from self._expose(parent)
        root = parent
        while (further := self._left[root]) >= 0:
            root = further
        yield from self._splay(root)
        if root != child:
            yield from self._expose(child)
            self._up[child] = self._parents[child] = parent

    def cut(self, child: int) -> Generator[None, None, None]:
        """Take a node from its parent."""
        yield from self._expose(child)
        above = self._left[child]
        self._up[above] = self._left[child] = self._parents[child] = -1

    def _expose(self, node: int) -> Generator[None, None, None]:
        """Make the path from the root down to a node one splay tree, the node its root."""
        yield from self._splay(node)
        self._right[node] = -1
        while (above := self._up[node]) >= 0:
            yield from self._splay(above)
            self._right[above] = node
            self._rotate(node)

    def _splay(self, node: int) -> Generator[None, None, None]:
        up, left, right = self._up, self._left, self._right
        while (parent := up[node]) >= 0 and (left[parent] == node or right[parent] == node):
            above = up[parent]
            if above >= 0 and (left[above] == parent or right[above] == parent):
                alike = (left[above] == parent) == (left[parent] == node)
                self._rotate(parent if alike else node)
            self._rotate(node)
            self._steps += 1
            if self._steps % _STEPS_TURN == 0:
                yield
        self._steps += 1
        if self._steps % _STEPS_TURN == 0:
            yield

    def _rotate(self, node: int) -> None:
        """Put a node above its parent."""
        up, left, right = self._up, self._left, self._right
        parent = up[node]
        above = up[parent]
        if left[parent] == node:
            between = left[parent] = right[node]
            right[node] = parent
        else:
            between = right[parent] = left[node]
            left[node] = parent
        if between >= 0:
            up[between] = parent
        up[parent], up[node] = node, above
        if above >= 0:
            if left[above] == parent:
                left[above] = node
            elif right[above] == parent:
                right[above] = node
