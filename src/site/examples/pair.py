"""A pair, step by step"""

import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    eps, mode = bn_param.get("eps", 1e-5), bn_param["mode"]
    if mode == "test":
        out = gamma * (x - bn_param["running_mean"]) / np.sqrt(bn_param["running_var"] + eps) + beta
        return out, None
    centered = x - x.mean(axis=0)
    std = np.sqrt((centered**2).mean(axis=0) + eps)
    out = gamma * centered / std + beta
    return out, (centered, std, gamma)


def batchnorm_backward(dout, cache):
    centered, std, gamma = cache
    M = len(dout)
    dbeta = dout.sum(axis=0)
    dgamma = (dout * centered / std).sum(axis=0)
    dx_hat = dout * gamma
    # Down the three ways on which x reaches x_hat: through var, through mean, and directly.
    dvar = -0.5 * (dx_hat * centered).sum(axis=0) / std**3
    dmean = -dx_hat.sum(axis=0) / std
    dx = dx_hat / std + dvar * 2 * centered / M + dmean / M
    return dx, dgamma, dbeta
