"""Numbers that buffers keep: read from the device only where somebody else wrote to them."""

from __future__ import annotations

import copy

import torch
from torch import nn

from ganzoo_core.nn import Mirror


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.tensor(3))
        self.register_buffer("size", torch.tensor([4, 5]))
        self.mirrors = Mirror(), Mirror()

    def read(self) -> tuple[int, list[int]]:
        return self.mirrors[0].read(self.count), self.mirrors[1].read(self.size)


def test_a_mirror_shows_what_the_buffer_holds() -> None:
    net = Counting()
    assert net.read() == (3, [4, 5])
    net.mirrors[0].write(net.count, 7)
    net.mirrors[1].write(net.size, [1, 2])
    assert net.read() == (7, [1, 2]) and net.count.item() == 7 and net.size.tolist() == [1, 2]


def test_it_sees_who_else_writes() -> None:
    net = Counting()
    net.read()
    net.count.add_(1)
    net.load_state_dict({**net.state_dict(), "size": torch.tensor([8, 9])})
    assert net.read() == (4, [8, 9])
    net.count = torch.tensor(11)
    assert net.read()[0] == 11


def test_a_copy_has_a_mirror_of_its_own() -> None:
    net = Counting()
    net.read()
    other = copy.deepcopy(net)
    other.count.fill_(0)
    net.mirrors[0].write(net.count, 1)
    assert other.read()[0] == 0 and net.read()[0] == 1


def test_nothing_is_read_from_where_nothing_can_be() -> None:
    """On the meta device reading raises: what was written is known all the same."""
    net = Counting()
    net.read()
    net.to("meta")
    assert net.read() == (3, [4, 5])
    net.mirrors[0].write(net.count, 6)
    assert net.read()[0] == 6
