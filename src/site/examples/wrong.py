"""A wrong one"""

import numpy as np


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x_hat, var, gamma, eps)


def batchnorm_backward(dout, cache):
    x_hat, var, gamma, eps = cache
    dx_hat = gamma * dout
    mixed = dx_hat - dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)
    return mixed / (var + eps), (dout * x_hat).sum(axis=0), dout.sum(axis=0)
