"""The Inception network of the Frechet Inception distance, in torch alone.

The network of Szegedy et al. 2015 (arXiv:1512.00567) as the distance's first publication used it
(Heusel et al. 2017, arXiv:1706.08500): average pooling leaves its padding out, the last block pools
by the maximum, 1,008 classes. torchvision's network of the same name is another one. The names of
the layers are those of the published weights file, which pytorch-fid and torch-fidelity share.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

__all__ = ["SIDE", "Inception", "resize_like_tensorflow"]

SIDE = 299

Pair = int | tuple[int, int]


class Inception(nn.Module):  # type: ignore[misc]  # torch is not typed here
    """2,048 pooled features of 8-bit colour images.

    Takes tensors of shape (n, 3, y, x) with values 0..255 and any size.
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = _Convolution(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = _Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = _Convolution(80, 192, 3)
        self.Mixed_5b = _BlockA(192, 32)
        self.Mixed_5c = _BlockA(256, 64)
        self.Mixed_5d = _BlockA(288, 64)
        self.Mixed_6a = _BlockB(288)
        self.Mixed_6b = _BlockC(128)
        self.Mixed_6c = _BlockC(160)
        self.Mixed_6d = _BlockC(160)
        self.Mixed_6e = _BlockC(192)
        self.Mixed_7a = _BlockD()
        self.Mixed_7b = _BlockE(1280, _mean_of_neighbours)
        self.Mixed_7c = _BlockE(2048, _highest_of_neighbours)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the pooled features, shape (n, 2048)."""
        x = (resize_like_tensorflow(x, SIDE) - 128) / 128
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = functional.max_pool2d(x, 3, stride=2)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))
        x = functional.max_pool2d(x, 3, stride=2)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return functional.adaptive_avg_pool2d(x, 1).flatten(1)


def resize_like_tensorflow(x: torch.Tensor, side: int) -> torch.Tensor:
    """Resize to a square by the bilinear rule of TensorFlow 1: corners, not centres, coincide.

    No antialiasing, as in the published distances (Parmar et al. 2022, arXiv:2104.11222, shows
    what that costs): a comparable number needs the same fault.

    Examples
    --------
    >>> x = torch.tensor([[[[0.0, 4.0]]]])
    >>> resize_like_tensorflow(x, 4)[0, 0, 0].tolist()
    [0.0, 2.0, 4.0, 4.0]
    """
    for axis in (3, 2):
        length = x.shape[axis]
        place = torch.arange(side, dtype=x.dtype, device=x.device)
        place = place * torch.tensor(length / side, dtype=torch.float32, device=x.device)
        low = place.long()
        high = (low + 1).clamp_max(length - 1)
        weight = (place - low).reshape([-1, *[1] * (3 - axis)])
        first = x.index_select(axis, low)
        x = first + (x.index_select(axis, high) - first) * weight
    return x


class _Convolution(nn.Module):  # type: ignore[misc]  # torch is not typed here
    def __init__(self, of: int, to: int, size: Pair, **options: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(of, to, size, bias=False, **options)
        self.bn = nn.BatchNorm2d(to, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.bn(self.conv(x)))


def _mean_of_neighbours(x: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _highest_of_neighbours(x: torch.Tensor) -> torch.Tensor:
    return functional.max_pool2d(x, 3, stride=1, padding=1)


class _BlockA(nn.Module):  # type: ignore[misc]  # torch is not typed here
    def __init__(self, of: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Convolution(of, 64, 1)
        self.branch5x5_1 = _Convolution(of, 48, 1)
        self.branch5x5_2 = _Convolution(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Convolution(of, 64, 1)
        self.branch3x3dbl_2 = _Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Convolution(96, 96, 3, padding=1)
        self.branch_pool = _Convolution(of, pooled, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        pooled = self.branch_pool(_mean_of_neighbours(x))
        return torch.cat([self.branch1x1(x), wide, double, pooled], 1)


class _BlockB(nn.Module):  # type: ignore[misc]  # torch is not typed here
    def __init__(self, of: int) -> None:
        super().__init__()
        self.branch3x3 = _Convolution(of, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Convolution(of, 64, 1)
        self.branch3x3dbl_2 = _Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Convolution(96, 96, 3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, functional.max_pool2d(x, 3, stride=2)], 1)


class _BlockC(nn.Module):  # type: ignore[misc]  # torch is not typed here
    def __init__(self, inner: int) -> None:
        super().__init__()
        row: dict[str, Any] = {"size": (1, 7), "padding": (0, 3)}
        column: dict[str, Any] = {"size": (7, 1), "padding": (3, 0)}
        self.branch1x1 = _Convolution(768, 192, 1)
        self.branch7x7_1 = _Convolution(768, inner, 1)
        self.branch7x7_2 = _Convolution(inner, inner, **row)
        self.branch7x7_3 = _Convolution(inner, 192, **column)
        self.branch7x7dbl_1 = _Convolution(768, inner, 1)
        self.branch7x7dbl_2 = _Convolution(inner, inner, **column)
        self.branch7x7dbl_3 = _Convolution(inner, inner, **row)
        self.branch7x7dbl_4 = _Convolution(inner, inner, **column)
        self.branch7x7dbl_5 = _Convolution(inner, 192, **row)
        self.branch_pool = _Convolution(768, 192, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        pooled = self.branch_pool(_mean_of_neighbours(x))
        return torch.cat([self.branch1x1(x), single, double, pooled], 1)


class _BlockD(nn.Module):  # type: ignore[misc]  # torch is not typed here
    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1 = _Convolution(768, 192, 1)
        self.branch3x3_2 = _Convolution(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Convolution(768, 192, 1)
        self.branch7x7x3_2 = _Convolution(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = _Convolution(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = _Convolution(192, 192, 3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = self.branch7x7x3_2(self.branch7x7x3_1(x))
        wide = self.branch7x7x3_4(self.branch7x7x3_3(wide))
        narrow = self.branch3x3_2(self.branch3x3_1(x))
        return torch.cat([narrow, wide, functional.max_pool2d(x, 3, stride=2)], 1)


class _BlockE(nn.Module):  # type: ignore[misc]  # torch is not typed here
    def __init__(self, of: int, pool: Any) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = _Convolution(of, 320, 1)
        self.branch3x3_1 = _Convolution(of, 384, 1)
        self.branch3x3_2a = _Convolution(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = _Convolution(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = _Convolution(of, 448, 1)
        self.branch3x3dbl_2 = _Convolution(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _Convolution(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = _Convolution(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = _Convolution(of, 192, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = [
            self.branch1x1(x),
            self.branch3x3_2a(single),
            self.branch3x3_2b(single),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(self.pool(x)),
        ]
        return torch.cat(parts, 1)
