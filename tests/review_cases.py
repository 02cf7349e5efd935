"""Backward passes as people write them, right and wrong, in many styles.

Each is registered with what review must say of it: `right`, `own` (right for
its own forward pass, which is another), `wrong` with words of the diagnosis.
"""

import collections
import types

import numpy as np

CASES = {}


def case(verdict, *words, subject="batchnorm_backward", **options):
    def register(thing):
        name = getattr(thing, "__name__", type(thing).__name__)
        assert name not in CASES, name
        CASES[name] = (thing, subject, options, verdict, words)
        return thing

    return register


def right(*words, **options):
    return case("right", *words, **options)


def own(*words, **options):
    return case("own", *words, **options)


def wrong(*words, **options):
    return case("wrong", *words, **options)


# A forward pass beside, its cache in any form.


def fc_forward(x, gamma, beta, eps=1e-5):
    q = (x - x.mean(0)) / np.sqrt(x.var(0) + eps)
    return gamma * q + beta, (q, 1 / np.sqrt(x.var(0) + eps), gamma)


@right()
def fc_backward(upstream, memo):
    a, b, c = memo
    N = len(upstream)
    return (
        c * b / N * (N * upstream - upstream.sum(0) - a * (upstream * a).sum(0)),
        (upstream * a).sum(0),
        upstream.sum(0),
    )


@right()
def fc_backward_alt(dout, cache):
    a, b, c = cache
    dxhat = dout * c
    dx = b * (dxhat - dxhat.mean(0) - a * np.mean(dxhat * a, axis=0))
    return {"dx": dx, "dgamma": np.sum(dout * a, 0), "dbeta": np.sum(dout, 0)}


def course_forward(x, gamma, beta, bn_param):
    mode, eps = bn_param["mode"], bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    D = x.shape[1]
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    out, cache = None, None
    if mode == "train":
        mu = 1 / float(len(x)) * np.sum(x, axis=0)
        xmu = x - mu
        var = 1 / float(len(x)) * np.sum(xmu**2, axis=0)
        sqrtvar = np.sqrt(var + eps)
        ivar = 1.0 / sqrtvar
        xhat = xmu * ivar
        out = gamma * xhat + beta
        cache = (xhat, gamma, xmu, ivar, sqrtvar, var, eps)
        bn_param["running_mean"] = momentum * running_mean + (1 - momentum) * mu
    elif mode == "test":
        out = x
    return out, cache


@right()
def course_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta, dgamma = np.sum(dout, axis=0), np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / sqrtvar**2 * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dx1, axis=0)
    return dx1 + 1.0 / N * np.ones((N, D)) * dmu, dgamma, dbeta


def keyed_forward(inputs, scale, shift, epsilon=1e-3):
    memo = dict(mid=inputs - inputs.mean(axis=0), scale=scale)
    memo["power"] = (memo["mid"] ** 2).mean(axis=0) + epsilon
    memo["unit"] = memo["mid"] * memo["power"] ** -0.5
    return {"out": scale * memo["unit"] + shift, "memo": memo}


@right()
def keyed_backward(dy, memo):
    m, u, p = len(dy), memo["unit"], memo["power"]
    du = dy * memo["scale"]
    dp = np.sum(du * memo["mid"] * -0.5 * p**-1.5, axis=0)
    dm = np.sum(-du / np.sqrt(p), axis=0) + dp * np.sum(-2 * memo["mid"], axis=0) / m
    dx = du / np.sqrt(p) + dp * 2 * memo["mid"] / m + dm / m
    return dx, {"scale": np.sum(dy * u, axis=0), "shift": np.sum(dy, axis=0)}


Kept = collections.namedtuple("Kept", "hat root weight")


def tuple_forward(x, weight, bias):
    root = np.sqrt(x.var(axis=0) + 2e-5)
    hat = (x - x.mean(axis=0)) / root
    return weight * hat + bias, Kept(hat, root, weight)


@right("eps = 2e-05 is built in")
def tuple_backward(g, kept):
    t = g - g.mean(axis=0) - kept.hat * (g * kept.hat).mean(axis=0)
    return types.SimpleNamespace(
        dx=kept.weight / kept.root * t, dweight=(g * kept.hat).sum(0), dbias=g.sum(0)
    )


def several_forward(x, gamma, beta, eps):
    xc = x - x.mean(axis=0)
    std = np.sqrt((xc**2).mean(axis=0) + eps)
    return xc / std * gamma + beta, xc, std


@right()
def several_backward(dy, xc, std, gamma):
    dvar = (dy * gamma * xc).sum(axis=0) * -0.5 * std**-3.0
    dxc = dy * gamma / std + 2 * xc * dvar / len(dy)
    return dxc - dxc.mean(axis=0), (dy * xc / std).sum(axis=0), dy.sum(axis=0)


def columns_forward(Z, gamma, beta, eps=1e-8):
    mu, s2 = np.mean(Z, axis=1, keepdims=True), np.var(Z, axis=1, keepdims=True)
    Zn = (Z - mu) / np.sqrt(s2 + eps)
    return gamma * Zn + beta, (Z, mu, s2, Zn, gamma, eps)


@right()
def columns_backward(dZ, cache):
    Z, mu, s2, Zn, gamma, eps = cache
    m = Z.shape[1]
    dZn, std_inv = dZ * gamma, 1.0 / np.sqrt(s2 + eps)
    dvar = np.sum(dZn * (Z - mu), axis=1, keepdims=True) * -0.5 * std_inv**3
    dmu = np.sum(-dZn * std_inv, axis=1, keepdims=True) - 2.0 * dvar * np.mean(
        Z - mu, axis=1, keepdims=True
    )
    dx = dZn * std_inv + dvar * 2.0 * (Z - mu) / m + dmu / m
    return dx, np.sum(dZ * Zn, axis=1, keepdims=True), np.sum(dZ, axis=1, keepdims=True)


def picture_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=(0, 2, 3), keepdims=True)
    r = 1 / np.sqrt(x.var(axis=(0, 2, 3), keepdims=True) + eps)
    y = (x - mu) * r
    return y * gamma.reshape(1, -1, 1, 1) + beta.reshape(1, -1, 1, 1), (y, r, gamma)


@right("(N, C, H, W)")
def picture_backward(dout, cache):
    y, r, gamma = cache
    N, _, H, W = dout.shape
    ax = (0, 2, 3)
    d = dout * gamma[None, :, None, None]
    a, b = d.sum(ax, keepdims=True), (d * y).sum(ax, keepdims=True)
    return r * (d - (a + y * b) / (N * H * W)), (dout * y).sum(ax), dout.sum(ax)


def series_forward(x, gamma, beta, eps):
    _, C, _ = x.shape
    z = x - x.mean((0, 2), keepdims=True)
    s = np.sqrt((z * z).mean((0, 2), keepdims=True) + eps)
    return gamma.reshape(C, 1) * z / s + beta[:, None], (z / s, s, gamma)


@right("(N, C, L)")
def series_backward(dout, cache):
    z, s, gamma = cache
    t = dout - dout.mean((0, 2), keepdims=True) - z * (dout * z).mean((0, 2), keepdims=True)
    return gamma[:, None] / s * t, (dout * z).sum((0, 2)), dout.sum((0, 2))


def any_rank_forward(x, gamma, beta, eps=1e-3):
    ax = tuple(range(x.ndim - 1))
    r = 1 / np.sqrt(x.var(axis=ax) + eps)
    return gamma * (x - x.mean(axis=ax)) * r + beta, ((x - x.mean(axis=ax)) * r, r, gamma, ax)


@right("(N, H, W, C)")
def any_rank_backward(dy, ctx):
    z, r, gamma, ax = ctx
    t = dy - dy.mean(axis=ax) - z * (dy * z).mean(axis=ax)
    return gamma * r * t, (dy * z).sum(axis=ax), dy.sum(axis=ax)


# Another forward pass, and its right gradient.


def careful_forward(x, gain, bias):
    m = x.mean(0, keepdims=True)
    inv = (x.var(0, keepdims=True, ddof=1) + 1e-5) ** -0.5
    raw = (x - m) * inv
    return gain * raw + bias, (raw, inv, gain)


@own("M_B − 1")
def careful_backward(dh, saved):
    raw, inv, gain = saved
    n = len(dh)
    dx = gain * inv / n * (n * dh - dh.sum(0) - n / (n - 1) * raw * (dh * raw).sum(0))
    return dx, (dh * raw).sum(0), dh.sum(0)


def rows_forward(x, gamma, beta, eps=1e-6):
    s = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    z = (x - x.mean(axis=-1, keepdims=True)) / s
    return gamma * z + beta, (z, s, gamma)


@own("layer normalization")
def rows_backward(dout, cache):
    z, s, gamma = cache
    g = dout * gamma
    dx = (g - g.mean(-1, keepdims=True) - z * (g * z).mean(-1, keepdims=True)) / s
    return dx, (dout * z).sum(0), dout.sum(0)


def floor_forward(x, gamma, beta, eps=0.5):
    v = x.var(axis=0)
    s = np.sqrt(np.maximum(v, eps))
    return gamma * (x - x.mean(0)) / s + beta, ((x - x.mean(0)) / s, s, gamma, v > eps)


@own("clamped")
def floor_backward(dout, cache):
    z, s, gamma, free = cache
    t = dout - dout.mean(0) - free * z * (dout * z).mean(0)
    return gamma / s * t, (dout * z).sum(0), dout.sum(0)


def outside_forward(x, gamma, beta, eps):
    sd = x.std(axis=0)
    return gamma * (x - x.mean(0)) / (sd + eps) + beta, (x - x.mean(0), sd, gamma, eps)


@own("outside the root")
def outside_backward(dout, cache):
    c, sd, gamma, eps = cache
    g = dout * gamma / (sd + eps)
    dsd = -(g * c).sum(0) / (sd + eps)
    dc = g + dsd * c / sd / len(c)
    return dc - dc.mean(0), (dout * c).sum(0) / (sd + eps), dout.sum(0)


def with_relu_forward(x, gamma, beta, eps=1e-5):
    s = np.sqrt(x.var(0) + eps)
    z = (x - x.mean(0)) / s
    y = gamma * z + beta
    return np.maximum(y, 0), (z, s, gamma, y > 0)


@own("none that review knows")
def with_relu_backward(d, memo):
    z, s, gamma, open_ = memo
    d = d * open_
    return gamma / s * (d - d.mean(0) - z * (d * z).mean(0)), (d * z).sum(0), d.sum(0)


def only_x_forward(x, eps=1e-5):
    s = np.sqrt(x.var(0) + eps)
    return (x - x.mean(0)) / s, ((x - x.mean(0)) / s, s)


@right("γ = 1")
def only_x_backward(d, memo):
    z, s = memo
    return (d - d.mean(0) - z * (d * z).mean(0)) / s


# A pair that is wrong.


def past_relu_forward(x, gamma, beta, eps=1e-5):
    return with_relu_forward(x, gamma, beta, eps)


@wrong("that of batch normalization, its forward pass is not")
def past_relu_backward(d, memo):
    z, s, gamma, _ = memo
    return gamma / s * (d - d.mean(0) - z * (d * z).mean(0)), (d * z).sum(0), d.sum(0)


def shuffled_forward(x, gamma, beta, eps=1e-5):
    mu, var = x.mean(0), x.var(0)
    return gamma * (x - mu) / np.sqrt(var + eps) + beta, (x, gamma, mu, var, eps)


@wrong("order", "`mu`")
def shuffled_backward(dout, cache):
    x, mu, gamma, var, eps = cache
    s = np.sqrt(var + eps)
    z = (x - mu) / s
    t = dout - dout.mean(0) - z * (dout * z).mean(0)
    return gamma / s * t, (dout * z).sum(0), dout.sum(0)


def mixed_up_forward(x, gamma, beta, eps=1e-5):
    inv = 1 / np.sqrt(x.var(0, ddof=1) + eps)
    return gamma * (x - x.mean(0)) * inv + beta, ((x - x.mean(0)) * inv, inv, gamma)


@wrong("n − 1")
def mixed_up_backward(dout, cache):
    z, inv, gamma = cache
    t = dout - dout.mean(0) - z * (dout * z).mean(0)
    return gamma * inv * t, (dout * z).sum(0), dout.sum(0)


def thin_forward(x, gamma, beta, eps=1e-3):
    std = np.sqrt(x.var(0) + eps)
    return gamma * (x - x.mean(0)) / std + beta, ((x - x.mean(0)) / std, x.var(0), gamma)


@wrong("eps is in the forward pass and missing in the scale")
def thin_backward(dout, cache):
    z, var, gamma = cache
    t = dout - dout.mean(0) - z * (dout * z).mean(0)
    return gamma / np.sqrt(var) * t, (dout * z).sum(0), dout.sum(0)


def broken_forward(x, gamma, beta, eps=1e-5):
    std = np.sqrt(x.var(0) + eps)
    return gamma * (x - x.mean(0)) / std + beta, ((x - x.mean(0)) / std, std)


@right("right only if", "put together elsewhere", "ValueError")
def broken_backward(dout, cache):
    z, std, gamma = cache
    return gamma / std * (dout - dout.mean(0) - z * (dout * z).mean(0))


@wrong("cache of its own forward pass", "ValueError", forward=broken_forward)
def broken_with_it(dout, cache):
    return broken_backward(dout, cache)


def joined_forward(z, gamma, beta, epsilon=1e-8):
    root = np.sqrt(z.var(1, keepdims=True) + epsilon)
    normed = (z - z.mean(1, keepdims=True)) / root
    return gamma * normed + beta, normed, root


@wrong("multiplied by ς where it is divided")
def joined_backward(dout, cache):
    _, gamma, sqrt_var, _, normed = cache
    m, k = dout.shape[1], {"axis": 1, "keepdims": True}
    dgamma, dbeta = np.sum(dout * normed, **k), np.sum(dout, **k)
    dz = gamma * sqrt_var / m * (m * dout - dbeta - normed * dgamma)
    return dgamma, dbeta, dz


def mistyped_forword(acts, gamma, beta):
    var = acts - acts.mean(0)
    scale = 1 / np.sqrt((var**2).mean(0))
    return gamma * var * scale + beta, (var, scale, gamma)


@right()
def mistyped_backword(dout, cache):
    var, scale, gamma = cache
    d = dout * gamma * scale
    d = d - var * scale**2 * (d * var).mean(0)
    return d - d.mean(0), (dout * var * scale).sum(0), dout.sum(0)


def unheeding_forward(x, gamma, beta, bn_param):
    bn_param["eps"]
    z = (x - x.mean(0)) / x.std(0)
    return gamma * z + beta, (z, x.std(0), gamma)


@own("takes eps and does not use it")
def unheeding_backward(dout, cache):
    z, std, gamma = cache
    return gamma / std * (dout - dout.mean(0) - z * (dout * z).mean(0)), (dout * z).sum(0)


def rows_again_forward(x, gamma, beta, ln_param):
    s = np.sqrt(x.var(axis=1, keepdims=True) + ln_param.get("eps", 1e-5))
    z = (x - x.mean(axis=1, keepdims=True)) / s
    return gamma * z + beta, (z, s, gamma)


@own("layer normalization")
def rows_again_backward(dout, cache):
    return rows_backward(dout, cache)


def grouped_forward(x, gamma, beta, G, gn_param):
    N, C, H, W = x.shape
    parts = x.reshape(N, G, C // G, H, W)
    ax = {"axis": (2, 3, 4), "keepdims": True}
    s = np.sqrt(parts.var(**ax) + gn_param.get("eps", 1e-5))
    z = (parts - parts.mean(**ax)) / s
    y = gamma.reshape(1, C, 1, 1) * z.reshape(x.shape) + beta.reshape(1, C, 1, 1)
    return y, (z, s, gamma.reshape(1, C, 1, 1))


@own("group normalization")
def grouped_backward(dout, cache):
    z, s, gamma = cache
    ax = {"axis": (2, 3, 4), "keepdims": True}
    g = (dout * gamma).reshape(z.shape)
    dx = (g - g.mean(**ax) - z * (g * z).mean(**ax)) / s
    return (
        dx.reshape(dout.shape),
        (dout * z.reshape(dout.shape)).sum((0, 2, 3)),
        dout.sum((0, 2, 3)),
    )


# Classes.


class Usual:
    """What many of the classes below have in common; they differ in how they are called."""

    def _keep(self, x, eps=1e-5, axis=0):
        self.s = np.sqrt(x.var(axis, keepdims=True) + eps)
        self.z = (x - x.mean(axis, keepdims=True)) / self.s
        return self.z

    def _back(self, d, gamma, axis=0):
        k = {"axis": axis, "keepdims": True}
        return gamma / self.s * (d - d.mean(**k) - self.z * (d * self.z).mean(**k))


class UsualForward(Usual):
    def __init__(self, size):
        self.gamma, self.beta = np.ones(size), np.zeros(size)

    def forward(self, x):
        return self.gamma * self._keep(x) + self.beta


@right("it fails at eps = 0: reviewed with eps > 0")
def positive_eps(dout, x, gamma, eps):
    if eps <= 0:
        raise ValueError("eps has to be positive")
    return whole_backward(dout, x, gamma, eps)


@wrong("it failed in the case M_B = 3")
def three_samples_refused(dout, x, gamma, eps):
    if len(x) == 3:
        raise ValueError("three samples")
    return whole_backward(dout, x, gamma, eps)


@right("40 neurons")
class DefaultLayer(UsualForward):
    def __init__(self, size=4):  # as many as most cases have
        super().__init__(size)

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.z).sum(0), dout.sum(0)
        return self._back(dout, self.gamma)


@right(".gamma_grad")
class AttributeLayer:
    def __init__(self, num_features, momentum=0.9, epsilon=1e-5):
        self.gamma = np.ones(num_features)
        self.beta = np.zeros(num_features)
        self.epsilon, self.momentum = epsilon, momentum
        self.running_mean = np.zeros(num_features)
        self.cache = None

    def __call__(self, x, training=False):
        if not training:
            return x
        mean, var = x.mean(axis=0), x.var(axis=0)
        self.running_mean = self.momentum * self.running_mean + 0.1 * mean
        x_norm = (x - mean) / np.sqrt(var + self.epsilon)
        self.cache = (x, x_norm, mean, var)
        return self.gamma * x_norm + self.beta

    def backward(self, grad_output):
        x, x_norm, mean, var = self.cache
        n = x.shape[0]
        self.gamma_grad = np.sum(grad_output * x_norm, axis=0)
        self.beta_grad = np.sum(grad_output, axis=0)
        inv = 1.0 / np.sqrt(var + self.epsilon)
        d = grad_output * self.gamma
        dvar = np.sum(d * (x - mean), axis=0) * -0.5 * inv**3
        dmean = -np.sum(d * inv, axis=0) + dvar * np.mean(-2.0 * (x - mean), axis=0)
        return d * inv + dvar * 2.0 * (x - mean) / n + dmean / n


@right()
class DictLayer:
    def __init__(self, dim):
        self.params = {"gamma": np.ones((1, dim)), "beta": np.zeros((1, dim))}
        self.grads = {}

    def forward(self, X):
        self.std = np.sqrt(X.var(axis=0, keepdims=True) + 1e-8)
        self.norm = (X - X.mean(axis=0, keepdims=True)) / self.std
        return self.norm * self.params["gamma"] + self.params["beta"]

    def backward(self, dY):
        self.grads["gamma"] = (dY * self.norm).sum(axis=0, keepdims=True)
        self.grads["beta"] = dY.sum(axis=0, keepdims=True)
        d = dY * self.params["gamma"]
        return (d - d.mean(axis=0) - self.norm * (d * self.norm).mean(axis=0)) / self.std


class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, np.zeros_like(data)


@right()
class ParameterLayer:
    def __init__(self, n_out):
        self.weight, self.bias = Parameter(np.ones(n_out)), Parameter(np.zeros(n_out))

    def forward(self, x):
        self._r = 1 / np.sqrt(x.var(0) + 1e-5)
        self._z = (x - x.mean(0)) * self._r
        return self.weight.data * self._z + self.bias.data

    def backward(self, g):
        self.weight.grad += (g * self._z).sum(0)
        self.bias.grad += g.sum(0)
        g = g * self.weight.data
        return self._r * (g - g.mean(0) - self._z * (g * self._z).mean(0))


@right()
class LateLayer:
    """γ is made when the shape of x is known."""

    def __init__(self, momentum=0.99):
        self.gamma = self.beta = None

    def forward_pass(self, X, training=True):
        if self.gamma is None:
            self.gamma, self.beta = np.ones(X.shape[1]), np.zeros(X.shape[1])
        self.stddev_inv = 1 / np.sqrt(X.var(axis=0) + 0.01)
        self.X_centered = X - X.mean(axis=0)
        return self.gamma * self.X_centered * self.stddev_inv + self.beta

    def backward_pass(self, accum_grad):
        n = accum_grad.shape[0]
        return (
            (1 / n)
            * self.gamma
            * self.stddev_inv
            * (
                n * accum_grad
                - np.sum(accum_grad, axis=0)
                - self.X_centered
                * self.stddev_inv**2
                * np.sum(accum_grad * self.X_centered, axis=0)
            )
        )


@right("(N, C, H, W)")
class PictureLayer:
    def __init__(self, channels):
        self.gamma, self.beta = np.ones((1, channels, 1, 1)), np.zeros((1, channels, 1, 1))

    def forward(self, x):
        self.n = x.size // x.shape[1]
        self.mu = x.mean(axis=(0, 2, 3), keepdims=True)
        self.var = ((x - self.mu) ** 2).mean(axis=(0, 2, 3), keepdims=True) + 1e-4
        self.hat = (x - self.mu) / np.sqrt(self.var)
        return self.gamma * self.hat + self.beta

    def backward(self, top):
        ax = {"axis": (0, 2, 3), "keepdims": True}
        self.dgamma, self.dbeta = (top * self.hat).sum(**ax), top.sum(**ax)
        d = top - (self.dbeta + self.hat * self.dgamma) / self.n
        return self.gamma / np.sqrt(self.var) * d


@wrong("lacks −x̂⟨Δ x̂⟩")
class ForgetfulLayer(UsualForward):
    def backward(self, grad):
        self.dgamma, self.dbeta = (grad * self.z).sum(0), grad.sum(0)
        return self.gamma / self.s * (grad - grad.mean(0))


@wrong("γ is left out")
class BareLayer(UsualForward):
    def backward(self, grad):
        return (grad - grad.mean(0) - self.z * (grad * self.z).mean(0)) / self.s, None, grad.sum(0)


@right("statistics twice a step")
class TwiceLayer:
    def __init__(self, n):
        self.gamma, self.beta, self.running_mean = np.ones(n), np.zeros(n), np.zeros(n)

    def forward(self, x):
        self.x = x
        self.running_mean = 0.9 * self.running_mean + 0.1 * x.mean(0)
        self.s = np.sqrt(x.var(0) + 1e-5)
        self.z = (x - x.mean(0)) / self.s
        return self.gamma * self.z + self.beta

    def backward(self, g):
        self.forward(self.x)
        g = g * self.gamma
        return (g - g.mean(0) - self.z * (g * self.z).mean(0)) / self.s


@right("∂C/∂x")
class NothingReturned(Usual):
    def __init__(self, n_inputs, epsilon=1e-5):
        self.gamma, self.beta = np.ones((1, n_inputs)), np.zeros((1, n_inputs))

    def forward(self, inputs, training=True):
        self.output = self.gamma * self._keep(inputs) + self.beta

    def backward(self, dvalues):
        self.dgamma, self.dbeta = (dvalues * self.z).sum(0), dvalues.sum(0)
        self.dinputs = self._back(dvalues, self.gamma)


@wrong("multiplied by ς where it is divided")
class Underscored(Usual):
    def __init__(self):
        self.gamma, self.beta = 1, 0

    def _forward(self, x):
        return self.gamma * self._keep(x, 1e-10) + self.beta

    def _backward(self, err, res):
        return self._back(err, self.gamma) * self.s**2, None


@right("∂C/∂x, ∂C/∂γ, ∂C/∂β")
class OfCourse(Usual):
    """Of a course: alpha is a momentum, the parameters are BW and Bb."""

    def __init__(self, in_feature, alpha=0.9):
        self.alpha = alpha
        self.BW, self.Bb = np.ones((1, in_feature)), np.zeros((1, in_feature))
        self.dLdBW, self.V = np.zeros((1, in_feature)), np.ones((1, in_feature))

    def forward(self, Z, eval=False):
        assert not eval
        return self.BW * self._keep(Z) + self.Bb

    def backward(self, dLdBZ):
        self.dLdBW = (dLdBZ * self.z).sum(0, keepdims=True)
        self.dLdBb = dLdBZ.sum(0, keepdims=True)
        return self._back(dLdBZ, self.BW)


@right("∂C/∂γ")
class Built(Usual):
    def __init__(self, epsilon, momentum):
        assert 0 < epsilon and 0 <= momentum < 1
        self.epsilon = epsilon

    def build(self, input_shape):
        self.g, self.b = np.ones(input_shape[-1]), np.zeros(input_shape[-1])
        self.dg = np.zeros(input_shape[-1])

    def forward(self, input):
        return self.g * self._keep(input, self.epsilon) + self.b

    def backward(self, dout):
        self.dg[...] = (dout * self.z).sum(0)
        return self._back(dout, self.g)


@right()
class InputFirst(Usual):
    def __init__(self, epsilon=1e-3, alpha=0.0):
        self.gamma = None

    def forward(self, X, inference=True):
        if self.gamma is None:
            self.gamma, self.beta = np.ones((1, X.shape[-1])), np.zeros((1, X.shape[-1]))
        return self.gamma * self._keep(X, 1e-3) + self.beta

    def backward(self, X, Y_error, l2=0.0):
        self._keep(X, 1e-3)
        return {"gamma_gradient": (Y_error * self.z).sum(0)}, self._back(Y_error, self.gamma)


@right("`dY` Δ", "`X` x")
class InputLast(InputFirst):
    def backward(self, dY, X):
        self._keep(X, 1e-3)
        return self._back(dY, self.gamma)


@right("(n, M_B)")
class OtherSwitch(Usual):
    """True is the test; γ, β and running statistics are handed to it."""

    def __init__(self, gamma, beta, momentum, running_mean, running_var):
        self.gamma, self.beta, self.running_mean = gamma, beta, running_mean

    def forward(self, units, itbool):
        if itbool:
            return self.gamma * (units - self.running_mean) + self.beta, None
        return self.gamma * self._keep(units, 1e-6, 1) + self.beta, self.running_mean

    def backward(self, dout):
        sums = (dout * self.z).sum(1).reshape(-1, 1), dout.sum(1).reshape(-1, 1)
        return self._back(dout, self.gamma, 1), *sums


@right()
class OtherOrder(Usual):
    def __init__(self, features):
        self.params = [np.ones(features), np.zeros(features)]

    def norm_forward(self, x):
        return self.params[0] * self._keep(x, 2.0**-23) + self.params[1]

    def norm_backprop(self, delta):
        self.dx = self._back(delta, self.params[0])
        self.db, self.dg = delta.sum(0), (delta * self.z).sum(0)
        return self.dx, self.db, self.dg


@wrong("that of batch normalization, its forward pass is not", "not divided by ς")
class NotDivided(OtherOrder):
    def norm_forward(self, x):
        self._keep(x, 1e-7)
        return self.params[0] * (x - x.mean(0)) + self.params[1]


@wrong("2/N*H*W")
class Precedence(Usual):
    def __init__(self, num_features):
        self.BW, self.Bb = np.ones((1, num_features, 1, 1)), np.zeros((1, num_features, 1, 1))

    def forward(self, Z):
        return self.BW * self._keep(Z, 1e-8, (0, 2, 3)) + self.Bb

    def backward(self, dLdBZ):
        N, _, H, W = dLdBZ.shape
        ax = {"axis": (0, 2, 3), "keepdims": True}
        d = dLdBZ * self.BW
        dvar = -(d * self.z).sum(**ax) / 2 / self.s**2
        dmean = -(d / self.s).sum(**ax)
        return d / self.s + dmean / (N * H * W) + dvar * self.z * self.s * (2 / N * H * W)


# A backward pass alone: names are evidence.


@right()
def by_names(outgrad, xnorm, ivar, scale):
    t = outgrad - outgrad.mean(0) - xnorm * (outgrad * xnorm).mean(0)
    return scale * ivar * t


@right()
def own_words(dLoss_dOutput, normalized_input, inv_stddev, gain):
    t = dLoss_dOutput - dLoss_dOutput.mean(0)
    return gain * inv_stddev * (t - normalized_input * (t * normalized_input).mean(0))


@right("`dy` Δ = ∂C/∂y, `hat` x̂, `q`")
def unknown_one(dy, hat, q, w):
    return w * q * (dy - dy.mean(0) - hat * (dy * hat).mean(0))


@right("x − μ")
def xtilde_is_centered(dout, x_tilde, var, gamma, eps):
    s2, g = var + eps, dout * gamma
    return (g - g.mean(0) - x_tilde * (g * x_tilde).mean(0) / s2) / np.sqrt(s2)


@right("`sigma` σ²")
def sigma_is_variance(dout, x_hat, sigma, gamma, eps):
    t = dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0)
    return gamma / np.sqrt(sigma + eps) * t


@right()
def of_sums(grad_out, x, mean, invstd, weight, sum_dy, sum_dy_xmu):
    n = len(x)
    return (grad_out - sum_dy / n - (x - mean) * invstd**2 * sum_dy_xmu / n) * invstd * weight


@right()
def places(delta, x_hat, std, gamma):
    dx = gamma / std * (delta - delta.mean(0) - x_hat * (delta * x_hat).mean(0))
    return dx, None, delta.sum(0)


@right()
def lists(delta, x, gamma, eps=1e-5):
    s = (x.var(0) + eps) ** 0.5
    z = (x - x.mean(0)) / s
    dx = gamma / s * (delta - delta.mean(0) - z * (delta * z).mean(0))
    return [dx.tolist(), [(delta * z).sum(0).tolist(), delta.sum(0).tolist()]]


@right()
def named_otherwise(dout, x_hat, std, gamma):
    dbeta, dgamma = dout.sum(0), (dout * x_hat).sum(0)
    dx = gamma / std * (dout - dbeta / len(dout) - x_hat * dgamma / len(dout))
    return dgamma, dbeta, dx


@right("in place")
def in_place(dout, x_hat, std, gamma):
    dgamma, dbeta = (dout * x_hat).sum(0), dout.sum(0)
    dout -= dbeta / len(dout) + x_hat * dgamma / len(dout)
    dout *= gamma / std
    return dout, dgamma, dbeta


@right()
def loud(dout, x_hat, std, gamma):
    print("shape", dout.shape)
    np.log(-np.ones(1))
    return gamma / std * (dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0))


@right("does not use the eps that it takes", "eps = 0.001")
def stubborn(dout, x, gamma, eps):
    s = np.sqrt(x.var(0) + 1e-3)
    z = (x - x.mean(0)) / s
    return gamma / s * (dout - dout.mean(0) - z * (dout * z).mean(0)), (dout * z).sum(0)


@right("right only if", "feature-major")
def either_layout(dout, x, gamma, eps):
    s = np.sqrt(x.var(-1, keepdims=True) + eps)
    z = (x - x.mean(-1, keepdims=True)) / s
    g = gamma * dout
    return (g - g.mean(-1, keepdims=True) - z * (g * z).mean(-1, keepdims=True)) / s


@right("γ = 1")
def without_gamma(dy, x):
    s = np.sqrt(x.var(0) + 1e-12)
    z = (x - x.mean(0)) / s
    return (dy - dy.mean(0) - z * (dy * z).mean(0)) / s


@right("right only if its `x` is x̂, and not x")
def x_in_place_of_x_hat(dout, x, std, gamma):
    return gamma / std * (dout - dout.mean(0) - x * (dout * x).mean(0))


@right("right only if its `x` is x̂, and not x", subject="gamma_gradient")
def sum_with_x(dout, x):
    return (dout * x).sum(0)


@right("right only if its `x_hat` is x − μ, and not x̂")
def x_hat_divided_again(dout, x_hat, std, gamma):
    h = x_hat / std
    return gamma / std * (dout - dout.mean(0) - h * (dout * h).mean(0))


@right("right: y to 1e-9 or better", "takes no γ", subject="batchnorm_forward")
def plain_x_hat(X):
    return (X - X.mean(0)) / X.std(0)


@wrong("eps outside the root", subject="batchnorm_forward")
def eps_added_to_the_root(x, gamma, beta, eps):
    return gamma * (x - x.mean(0)) / (x.std(0) + eps) + beta


@wrong("your ∂C/∂β is a mean where a sum belongs", subject="beta_gradient")
def mean_of_errors(dout):
    return dout.mean(0)


@right()
def letters(v, h, s, w):
    return w / s * (v - v.mean(0) - h * (v * h).mean(0))


@wrong("γ is left out")
def letters_without_gamma(d, z, s, g):
    return (d - d.mean(0) - z * (d * z).mean(0)) / s


@wrong("lacks −⟨Δ⟩")
def letters_without_the_mean(d, z, s, g):
    return g / s * (d - z * (d * z).mean(0))


@right("right: ")
def kept_values(dout, saved_x_hat, cached_inv_std, gamma):
    h = saved_x_hat
    return gamma * cached_inv_std * (dout - dout.mean(0) - h * (dout * h).mean(0))


@right("right: ")
def reciprocal(dout, x̂, recip_std, gamma):
    return gamma * recip_std * (dout - dout.mean(0) - x̂ * (dout * x̂).mean(0))


@right("right: ")
def two_of_x(dout, x_norm, x_std, gamma):
    return gamma / x_std * (dout - dout.mean(0) - x_norm * (dout * x_norm).mean(0))


def unpacked_forward(x, gamma, beta):
    z, s = z_and_s(x, 1e-5)
    return gamma * z + beta, z, s, gamma


@case("unknown", "does not unpack it for `*cache`")
def unpacked_backward(dout, *cache):
    z, s, gamma = cache
    return gamma / s * (dout - dout.mean(0) - z * (dout * z).mean(0))


@right("right: ", subject="baseline_backpropagation")
def weights_alone(delta, u_prev):
    return delta.T @ u_prev


@right("right: ", subject="baseline_backpropagation")
def bottom_last(delta, u_prev, W, g_prime):
    return delta.sum(0), delta.T @ u_prev, delta @ W * g_prime


@wrong("g' is missing", subject="baseline_backpropagation")
def linear_alone(delta, W):
    return delta @ W


@wrong("your ∂C/∂W is a mean where a sum belongs", subject="baseline_backpropagation")
def mean_of_the_weights(delta, u_prev):
    return delta.T @ u_prev / len(delta)


@right("right: ", subject="weight_gradient")
def of_features(dZ, A, W, gamma, eps):
    Z = W @ A
    s = np.sqrt(Z.var(1, keepdims=True) + eps)
    h = (Z - Z.mean(1, keepdims=True)) / s
    d = dZ - dZ.mean(1, keepdims=True) - h * (dZ * h).mean(1, keepdims=True)
    return (gamma / s * d) @ A.T


@right("right: ", subject="weight_gradient")
def of_inputs(dY, X, W, gamma, eps):
    z, s = z_and_s(X @ W, eps)
    return X.T @ (gamma / s * (dY - dY.mean(0) - z * (dY * z).mean(0)))


@case("unknown", "∂C/∂x has the shape (20,), wanted (5, 4)")
def flattened(dout, x_hat, std, gamma):
    return dout.ravel()


@case("unknown", "∂C/∂x is a str, wanted an array")
def a_word(dout, x_hat, std, gamma):
    return "dx"


@case("unknown", "∂C/∂x has the dtype bool, wanted numbers")
def a_mask(dout, x_hat, std, gamma):
    return dout > 0


def passed_on(f):
    return lambda *args, **kwargs: f(*args, **kwargs)


@case("unknown", "its arguments have no names; wrap it in a function that has")
@passed_on
def nameless_arguments(dout, x_hat, std, gamma):
    return dout


@right("one-pass variance")
def one_pass(dy, x, gamma, eps):
    m = x.mean(0)
    s = np.sqrt((x * x).mean(0) - m * m + eps)
    z = (x - m) / s
    return gamma / s * (dy - dy.mean(0) - z * (dy * z).mean(0))


@right()
def channels_last(dy, x, gamma, eps):
    _, _, _, c = x.shape
    a, d = x.reshape(-1, c), dy.reshape(-1, c)
    s = np.sqrt(a.var(0) + eps)
    z = (a - a.mean(0)) / s
    t = d - d.mean(0) - z * (d * z).mean(0)
    return (gamma / s * t).reshape(x.shape), (d * z).sum(0), d.sum(0)


# Wrong, and named.


def z_and_s(x, eps):
    s = np.sqrt(x.var(0) + eps)
    return (x - x.mean(0)) / s, s


@wrong("mean and variance as constants")
def detached(dy, x, gamma, eps):
    z, s = z_and_s(x, eps)
    return gamma / s * dy, (dy * z).sum(0), dy.sum(0)


@wrong("inference mode")
def of_inference(dout, x, gamma, running_mean, running_var, eps):
    s = np.sqrt(running_var + eps)
    return gamma / s * dout, (dout * (x - running_mean) / s).sum(0), dout.sum(0)


@wrong("running statistics")
def with_running(dout, x, gamma, running_mean, running_var, eps):
    s = np.sqrt(running_var + eps)
    z = (x - running_mean) / s
    t = dout - dout.mean(0) - z * (dout * z).mean(0)
    return gamma / s * t, (dout * z).sum(0), dout.sum(0)


@wrong("number of images")
def images_in_one_term(dout, x, gamma, eps):
    k = {"axis": (0, 2, 3), "keepdims": True}
    s = np.sqrt(x.var(**k) + eps)
    z, g = (x - x.mean(**k)) / s, gamma.reshape(1, -1, 1, 1)
    t = dout - dout.sum(**k) / len(x) - z * (dout * z).mean(**k)
    return g / s * t, (dout * z).sum((0, 2, 3)), dout.sum((0, 2, 3))


@wrong("each pixel by itself")
def pixel_means(dout, x, gamma, eps):
    k = {"axis": (0, 2, 3), "keepdims": True}
    s = np.sqrt(x.var(**k) + eps)
    z, g = (x - x.mean(**k)) / s, gamma.reshape(1, -1, 1, 1)
    t = dout - dout.mean(0) - z * (dout * z).mean(0)
    return g / s * t, (dout * z).sum((0, 2, 3)), dout.sum((0, 2, 3))


@wrong("channels are mixed")
def not_transposed(dout, x, gamma, eps):
    n, c, h, w = x.shape
    a, d = x.reshape(n * h * w, c), dout.reshape(n * h * w, c)
    z, s = z_and_s(a, eps)
    t = d - d.mean(0) - z * (d * z).mean(0)
    return (gamma / s * t).reshape(x.shape), (d * z).sum(0), d.sum(0)


@wrong("number of neurons")
def neurons_counted(dout, x_hat, std, gamma):
    d = dout.shape[-1]
    return gamma / std / d * (d * dout - dout.sum(0) - x_hat * (dout * x_hat).sum(0))


@wrong("number of neurons", "all entries")
def everything_counted(dout, x_hat, std, gamma):
    n = np.prod(dout.shape)
    return gamma / std / n * (n * dout - dout.sum(0) - x_hat * (dout * x_hat).sum(0))


@wrong("γ outside of its means")
def layer_norm_gamma_outside(dout, x, gamma, beta, eps):
    k = {"axis": 1, "keepdims": True}
    s = np.sqrt(x.var(**k) + eps)
    z = (x - x.mean(**k)) / s
    t = dout - dout.mean(**k) - z * (dout * z).mean(**k)
    return gamma / s * t, (dout * z).sum(0), dout.sum(0)


@wrong("layer normalization")
def of_layer_norm(dout, x, gamma, beta, eps):
    k = {"axis": 1, "keepdims": True}
    s = np.sqrt(x.var(**k) + eps)
    z, g = (x - x.mean(**k)) / s, dout * gamma
    return (g - g.mean(**k) - z * (g * z).mean(**k)) / s, (dout * z).sum(0), dout.sum(0)


@wrong("clamped")
def floored(dout, x, gamma, eps):
    s = np.sqrt(np.where(x.var(0) > eps, x.var(0), eps))
    z = (x - x.mean(0)) / s
    return gamma / s * (dout - dout.mean(0) - z * (dout * z).mean(0))


@wrong("eps is added to x̂")
def eps_beside(dout, x, gamma, eps):
    s = x.std(0)
    z = (x - x.mean(0)) / s + eps
    t = dout - dout.mean(0) - z * (dout * z).mean(0)
    return gamma / s * t, (dout * z).sum(0), dout.sum(0)


@wrong("Σy")
def sums_the_output(dout, x_hat, std, gamma, out):
    t = dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0)
    return gamma / std * t, (dout * x_hat).sum(0), out.sum(0)


@wrong("sign of γ")
def positive_gamma(dout, x_hat, std, gamma):
    t = dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0)
    return np.sqrt(gamma**2) / std * t, (dout * x_hat).sum(0)


@wrong("axis")
def no_axis(dout, x_hat, std, gamma):
    t = dout - np.mean(dout) - x_hat * np.mean(dout * x_hat)
    return gamma / std * t, np.sum(dout * x_hat), np.sum(dout)


@wrong("local")
def split_batch(dout, x_hat, std, gamma):
    half, parts = len(dout) // 2, []
    for d, z in ((dout[:half], x_hat[:half]), (dout[half:], x_hat[half:])):
        parts.append(d - d.mean(0) - z * (d * z).mean(0) if len(d) else d)
    return gamma / std * np.concatenate(parts)


@wrong("all-reduced twice")
def reduced_twice(dout, x_hat, std, gamma):
    mean, along = 2 * dout.mean(0), 2 * (dout * x_hat).mean(0)
    return gamma / std * (dout - mean - x_hat * along)


@wrong("its own length")
def unit_length(dout, x, gamma, eps):
    c = x - x.mean(0)
    s = np.sqrt((c * c).sum(0) + eps)
    z = c / s
    return gamma / s * (dout - dout.mean(0) - z * (dout * z).mean(0))


@wrong("eps is left out")
def eps_forgotten(dout, x, gamma, eps):
    z, s = z_and_s(x, 0.0)
    return gamma / s * (dout - dout.mean(0) - z * (dout * z).mean(0))


@wrong("twice in the mean term")
def gamma_again(dout, x_hat, std, gamma):
    g = dout * gamma
    return gamma / std * (dout - g.mean(0) - x_hat * (g * x_hat).mean(0))


@wrong("two mistakes", "γ is left out")
def two_at_once(dout, x_hat, std, gamma):
    return (dout - x_hat * (dout * x_hat).mean(0)) / std


@wrong("mean where a sum belongs", "∂C/∂β contains γ")
def two_results(dout, x_hat, std, gamma):
    t = dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0)
    return gamma / std * t, (dout * x_hat).mean(0), (gamma * dout).sum(0)


@wrong("Δ itself")
def nothing_done(dout, x_hat, std, gamma):
    return dout


@wrong("reverse order")
def backwards(dout, x_hat, std, gamma):
    return (gamma / std * (dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0)))[::-1]


@wrong("0.7·⟨Δ⟩")
def strange(dout, x_hat, std, gamma):
    return gamma / std * (dout - 0.7 * dout.mean(0) - x_hat * (dout * x_hat).mean(0))


@wrong("only neuron 2")
def one_neuron(dout, x_hat, std, gamma):
    dx = gamma / std * (dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0))
    dx[:, 2] *= 0.9
    return dx


@wrong("M_B = 130")
def first_chunk(dout, x, gamma, eps):
    k = min(64, len(x))
    s = np.sqrt(x[:k].var(0) + eps)
    z = (x - x[:k].mean(0)) / s
    return gamma / s * (dout - dout[:k].mean(0) - z * (dout * z)[:k].mean(0))


@wrong("M_B = 130", subject="layernorm_backward")
def chunk_of_whatever_axes(dout, x, gamma, eps):
    """Of series too, so that no other layout may hide it."""
    s = np.sqrt(x.var(-1, keepdims=True) + eps)
    z, d = (x - x.mean(-1, keepdims=True)) / s, dout * gamma
    dx = (d - d.mean(-1, keepdims=True) - z * (d * z).mean(-1, keepdims=True)) / s
    return np.concatenate([dx[:64], 0 * dx[64:]])


# Wrong in one kind of batch only.


def whole_backward(d, x, gamma, eps):
    z, s = z_and_s(x, eps)
    return gamma / s * (d - d.mean(0) - z * (d * z).mean(0)), (d * z).sum(0), d.sum(0)


@wrong("M_B = n = 4")
def turned_where_square(delta, x, gamma, eps):
    dx, *sums = whole_backward(delta, x, gamma, eps)
    return dx.T if len(x) == x.shape[1] else dx, *sums


@wrong("M_B = 1", "not finite")
def one_sample(delta, x, gamma, eps):
    return [v * (np.nan if len(x) == 1 else 1) for v in whole_backward(delta, x, gamma, eps)]


@wrong("1 neuron")
def one_feature(delta, x, gamma, eps):
    return [v * (2 if x.shape[1] == 1 else 1) for v in whole_backward(delta, x, gamma, eps)]


@wrong("Δ of a neuron 0", "not finite")
def scaled_by_largest(delta, x, gamma, eps):
    largest = np.abs(delta).max(0)
    return [v * largest for v in whole_backward(delta / largest, x, gamma, eps)]


@wrong("γ and Δ of a neuron 0", "not finite")
def divided_by_gamma(delta, x, gamma, eps):
    dx, *sums = whole_backward(delta, x, gamma, eps)
    return dx * gamma / gamma, *sums


@wrong("eps = 1e-05")
def small_eps_lost(delta, x, gamma, eps):
    return whole_backward(delta, x, gamma, eps if eps in (0, 0.01, 0.1) else 0)


@wrong("not finite")
def masked(delta, x, gamma, eps):
    dx, *sums = whole_backward(delta, x, gamma, eps)
    return np.ma.array(dx, mask=np.arange(len(x))[:, None] + 0 * dx < 1), *sums


@wrong("float32")
def coarse_in_float32(delta, x, gamma, eps):
    dx, *sums = whole_backward(delta, x, gamma, eps)
    return dx * (1.00005 if x.dtype == np.float32 else 1), *sums


@wrong("40 neurons, Δ of 1e-6")
def blocks_of_32_neurons(delta, x, gamma, eps):
    dx, *sums = whole_backward(delta, x, gamma, eps)
    return np.hstack([dx[:, :32], 0 * dx[:, 32:]]), *sums


@wrong("40 neurons, Δ of 1e-6")
def small_errors_lost(delta, x, gamma, eps):
    dx, *sums = whole_backward(delta, x, gamma, eps)
    return dx + 1e-8 * (np.abs(delta).max() < 1e-3), *sums


@wrong("times what it should be")
def slightly_off(delta, x, gamma, eps):
    dx, *sums = whole_backward(delta, x, gamma, eps)
    return 1.00001 * dx, *sums


@wrong("mean/std = 1e4")
def off_at_large_means(delta, x, gamma, eps):
    dx, *sums = whole_backward(delta, x, gamma, eps)
    return dx * (1.001 if (np.abs(x.mean(0)) > 1e3 * x.std(0)).all() else 1), *sums


@right("it has the digits of float32 only")
def through_float32(delta, x, gamma, eps):
    return whole_backward(*map(np.float32, (delta, x, gamma, eps)))


@wrong("1 neuron, Δ of 1e6")
def clips(delta, x, gamma, eps):
    return [np.clip(v, -1e3, 1e3) for v in whole_backward(delta, x, gamma, eps)]


@wrong("wrong when it is called again")
def keeps_its_first_results(delta, x, gamma, eps, found={}):  # noqa: B006  the mistake
    again = found.setdefault(delta.tobytes(), []).append(1) or len(found[delta.tobytes()]) > 3
    return [v * (2 if again else 1) for v in whole_backward(delta, x, gamma, eps)]


@wrong("it is not finite")
def complex_gradient(delta, x, gamma, eps):
    dx, *sums = whole_backward(delta, x, gamma, eps)
    return dx + 1j, *sums


@wrong("∂C/∂x is a map, wanted an array")
def lazy_gradient(delta, x, gamma, eps):
    dx, *sums = whole_backward(delta, x, gamma, eps)
    return map(abs, dx), *sums


@right("∂C/∂x, ∂C/∂γ, ∂C/∂β")
def one_by_one(delta, x, gamma, eps):
    yield from whole_backward(delta, x, gamma, eps)


class Value:
    """A tensor of a hand-made engine."""

    def __init__(self, data):
        self.data, self.grad = data, None


@right("∂C/∂x, ∂C/∂γ, ∂C/∂β")
def own_engine(delta, x, gamma, eps):
    return [Value(v) for v in whole_backward(delta, x, gamma, eps)]


@right("∂C/∂x, ∂C/∂γ, ∂C/∂β")
def objects_and_zero_imaginary_parts(delta, x, gamma, eps):
    dx, dgamma, dbeta = whole_backward(delta, x, gamma, eps)
    return dx.astype(object), dgamma + 0j, dbeta


@right("`var` 1/ς")
def var_holds_its_root_inverted(dout, x_hat, var, gamma):
    t = dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0)
    return gamma * var * t, (dout * x_hat).sum(0), dout.sum(0)


@wrong("M_B = 130", subject="weight_gradient")
def large_batches_lost(delta, u_prev, x_hat, std, gamma):
    dx = gamma / std * (delta - delta.mean(0) - x_hat * (delta * x_hat).mean(0))
    return dx[:64].T @ u_prev[:64]


@wrong("1 neuron", subject="previous_error")
def one_neuron_below(delta, W, x_hat, std, gamma, g_prime):
    dx = gamma / std * (delta - delta.mean(0) - x_hat * (delta * x_hat).mean(0))
    return g_prime * (dx @ W) * (2 if len(W) == 1 else 1)


@right("tried: M_B = 5", "M_B = 130", "1 neuron", "float32")
def tried_everywhere(delta, x, gamma, eps):
    return whole_backward(delta, x, gamma, eps)


@right(subject="batchnorm_forward")
def keeps_running(x, gamma, beta, eps, running_mean, running_var):
    running_mean *= 0.9
    running_mean += 0.1 * x.mean(0)
    z, _ = z_and_s(x, eps)
    return gamma * z + beta


@right(subject="gamma_gradient")
def by_place_only(delta, x_hat, /):
    return (delta * x_hat).sum(axis=0)


@right(subject="beta_gradient")
def of_numbers(delta):
    return tuple(sum(column) for column in delta.T)


# What could not be run says why.


@case("unknown", "forward=")
def lonely(dout, cache):
    return helper(dout, cache)


def helper(dout, cache):
    return dout * cache[0]


@case("unknown", "what is in its cache was guessed", "forward=")
def named_otherwise_within(dout, cache):
    var, inv_sd, gamma = cache  # x − μ and 1/ς, as mistyped_forword keeps them
    d = dout * gamma * inv_sd
    d = d - var * inv_sd**2 * (d * var).mean(0)
    return d - d.mean(0), (dout * var * inv_sd).sum(0), dout.sum(0)


@case("unknown", "SystemExit")
def leaves(dout, x_hat):
    raise SystemExit(3)


@case("unknown", "returned None")
def silent(dout, x_hat, std, gamma):
    dout / std


@case("unknown", "forward pass", "batchnorm_forward")
def takes_no_delta(x, gamma, beta, eps):
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta


@case("unknown", "TypeError")
def fails(dout, x, gamma):
    return dout + "x"


# The other normalizers.


def layer_forward(x, weight, bias, eps=1e-5):
    mean = x.mean(-1, keepdims=True)
    rstd = 1 / np.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + eps)
    return (x - mean) * rstd * weight + bias, (x, weight, mean, rstd)


@right("(M_B, n)", subject="layernorm_backward")
def layer_backward(dout, cache):
    x, weight, mean, rstd = cache
    norm = (x - mean) * rstd
    dnorm = dout * weight
    dx = dnorm - dnorm.mean(-1, keepdims=True) - norm * (dnorm * norm).mean(-1, keepdims=True)
    rows = tuple(range(x.ndim - 1))
    return dx * rstd, (dout * norm).sum(rows), dout.sum(rows)


@wrong("γ stands outside of the means", subject="layernorm_backward", forward=layer_forward)
def layer_gamma_outside(dout, cache):
    x, weight, mean, rstd = cache
    norm = (x - mean) * rstd
    dx = dout - dout.mean(-1, keepdims=True) - norm * (dout * norm).mean(-1, keepdims=True)
    return dx * rstd * weight, (dout * norm).sum(0), dout.sum(0)


@wrong("lacks −x̂⟨γΔ x̂⟩", subject="layernorm_backward", forward=layer_forward)
def layer_lacks_x_hat(dout, cache):
    x, weight, mean, rstd = cache
    g = dout * weight
    return rstd * (g - g.mean(-1, keepdims=True)), (dout * (x - mean) * rstd).sum(0), dout.sum(0)


@wrong("run over the samples", subject="layernorm_backward", forward=layer_forward)
def layer_wrong_axis(dout, cache):
    x, weight, mean, rstd = cache
    h, g = (x - mean) * rstd, dout * weight
    return rstd * (g - g.mean(0) - h * (g * h).mean(0)), (dout * h).sum(0), dout.sum(0)


@wrong("training mode", subject="frozen_batchnorm_backward")
def frozen_as_in_training(dout, x, gamma, eps):
    h, s = z_and_s(x, eps)
    t = dout - dout.mean(0) - h * (dout * h).mean(0)
    return gamma / s * t, (dout * h).sum(0), dout.sum(0)


@wrong("∂C/∂γ has the shape (5,)", subject="layernorm_backward", forward=layer_forward)
def layer_sums_within(dout, cache):
    x, weight, mean, rstd = cache
    h, g = (x - mean) * rstd, dout * weight
    dx = g - g.mean(-1, keepdims=True) - h * (g * h).mean(-1, keepdims=True)
    return dx * rstd, (dout * h).sum(-1), dout.sum(-1)


@right("(N, L, C)", subject="layernorm_backward")
def in_loops(dout, inp, mean, rstd, weight):
    dinp, dweight, dbias = np.zeros_like(inp), np.zeros_like(weight), np.zeros_like(weight)
    B, T, C = inp.shape
    for b in range(B):
        for t in range(T):
            norm = (inp[b, t] - mean[b, t]) * rstd[b, t]
            dnorm = weight * dout[b, t]
            dnorm_mean, dnorm_norm_mean = dnorm.sum() / C, (dnorm * norm).sum() / C
            dbias += dout[b, t]
            dweight += norm * dout[b, t]
            dinp[b, t] = (dnorm - dnorm_mean - norm * dnorm_norm_mean) * rstd[b, t]
    return dinp, dweight, dbias


@right("(N, C, H, W)", subject="layernorm_backward")
class LayerNormOfSamples:
    def __init__(self, channels):
        self.gamma, self.beta = np.ones(channels), np.zeros(channels)

    def forward(self, x):
        c = x - x.mean((1, 2, 3), keepdims=True)
        self.r = 1 / np.sqrt((c * c).mean((1, 2, 3), keepdims=True) + 1e-6)
        self.h = c * self.r
        return self.h * self.gamma[:, None, None] + self.beta[:, None, None]

    def backward(self, dout):
        g, ax = dout * self.gamma[:, None, None], (1, 2, 3)
        self.dgamma, self.dbeta = (dout * self.h).sum((0, 2, 3)), dout.sum((0, 2, 3))
        along = self.h * (g * self.h).mean(ax, keepdims=True)
        return self.r * (g - g.mean(ax, keepdims=True) - along)


@own("1 + γ", subject="rmsnorm_backward")
class Gemma:
    def __init__(self, dim, eps=1e-6):
        self.weight, self.eps = np.zeros(dim), eps

    def __call__(self, x):
        self.x = x
        self.r = (np.mean(x * x, axis=-1, keepdims=True) + self.eps) ** -0.5
        return x * self.r * (1 + self.weight)

    def backward(self, g):
        h = self.x * self.r
        self.dweight = (g * h).reshape(-1, h.shape[-1]).sum(0)
        g = g * (1 + self.weight)
        return self.r * (g - h * (g * h).mean(-1, keepdims=True))


def rms_forward(x, scale, eps=1e-6):
    rms = np.sqrt(np.mean(np.square(x), axis=-1, keepdims=True) + eps)
    return scale * x / rms, (x, scale, rms)


@right(subject="rmsnorm_backward")
def rms_backward(dy, cache):
    x, scale, rms = cache
    n = x.shape[-1]
    ds = (dy * x / rms).reshape(-1, n).sum(0)
    g = dy * scale
    return g / rms - x * (g * x).sum(-1, keepdims=True) / (n * rms**3), ds


@wrong("removes no mean", subject="rmsnorm_backward", forward=rms_forward)
def rms_as_layer(dy, cache):
    x, scale, rms = cache
    h, g = x / rms, dy * scale
    t = g - g.mean(-1, keepdims=True) - h * (g * h).mean(-1, keepdims=True)
    return t / rms, (dy * h).sum(0)


@wrong("1/n is missing in the x̂ term", subject="rmsnorm_backward", forward=rms_forward)
def rms_without_n(dy, cache):
    x, scale, rms = cache
    g = dy * scale
    return g / rms - x * (g * x).sum(-1, keepdims=True) / rms**3, (dy * x / rms).sum(0)


@wrong("square root is missing in the scale", subject="rmsnorm_backward", forward=rms_forward)
def rms_divided_twice(dy, cache):
    x, scale, rms = cache
    h, g = x / rms, dy * scale
    return (g - h * (g * h).mean(-1, keepdims=True)) / rms**2, (dy * h).sum(0)


@wrong("eps outside the root", subject="rmsnorm_backward")
def rms_eps_outside(dy, x, weight, eps):
    rms = np.sqrt((x**2).mean(-1, keepdims=True)) + eps
    h, g = x / rms, dy * weight
    return (g - h * (g * h).mean(-1, keepdims=True)) / rms, (dy * h).sum(0)


def groups_forward(x, gamma, beta, G, eps=1e-5):
    N, C = x.shape[:2]
    v = x.reshape(N, G, -1)
    c = v - v.mean(2, keepdims=True)
    s = np.sqrt((c**2).mean(2, keepdims=True) + eps)
    h = (c / s).reshape(x.shape)
    return h * gamma.reshape(1, C, 1, 1) + beta.reshape(1, C, 1, 1), (G, h, s, gamma)


@right("(N, C, H, W)", subject="groupnorm_backward", groups=3)
def groups_backward(dout, cache):
    G, h, s, gamma = cache
    N, C = dout.shape[:2]
    g, k = (dout * gamma.reshape(1, C, 1, 1)).reshape(N, G, -1), h.reshape(N, G, -1)
    t = g - g.mean(2, keepdims=True) - k * (g * k).mean(2, keepdims=True)
    return (t / s).reshape(dout.shape), (dout * h).sum((0, 2, 3)), dout.sum((0, 2, 3))


@wrong("the groups are mixed", subject="groupnorm_backward", forward=groups_forward, groups=3)
def groups_mixed(dout, cache):
    G, h, s, gamma = cache
    N, C, H, W = dout.shape
    g = (dout * gamma.reshape(1, C, 1, 1)).reshape(N, C // G, G, H, W)
    k = h.reshape(g.shape)
    t = g - g.mean((1, 3, 4), keepdims=True) - k * (g * k).mean((1, 3, 4), keepdims=True)
    dx = t.reshape(N, G, -1) / s
    return dx.reshape(dout.shape), (dout * h).sum((0, 2, 3)), dout.sum((0, 2, 3))


@wrong("number of features alone", subject="groupnorm_backward", forward=groups_forward)
def groups_without_pixels(dout, cache):
    G, h, s, gamma = cache
    N, C = dout.shape[:2]
    g, k = (dout * gamma.reshape(1, C, 1, 1)).reshape(N, G, -1), h.reshape(N, G, -1)
    m = C // G
    t = g - g.sum(2, keepdims=True) / m - k * (g * k).sum(2, keepdims=True) / m
    return (t / s).reshape(dout.shape), (dout * h).sum((0, 2, 3)), dout.sum((0, 2, 3))


def style_forward(x, gamma, beta, eps=1e-5):
    c = x - x.mean((2, 3), keepdims=True)
    r = (c.var((2, 3), keepdims=True) + eps) ** -0.5
    return c * r * gamma[:, None, None] + beta[:, None, None], (c * r, r, gamma)


@right("(N, C, H, W)", subject="instancenorm_backward")
def style_backward(dout, cache):
    h, r, gamma = cache
    t = dout - dout.mean((2, 3), keepdims=True) - h * (dout * h).mean((2, 3), keepdims=True)
    return gamma[:, None, None] * r * t, (dout * h).sum((0, 2, 3)), dout.sum((0, 2, 3))


@wrong("as in batch normalization", subject="instancenorm_backward", forward=style_forward)
def style_over_batch(dout, cache):
    h, r, gamma = cache
    N, _, H, W = dout.shape
    g = gamma[:, None, None] * dout
    a, b = g.sum((2, 3), keepdims=True), (g * h).sum((2, 3), keepdims=True)
    return r * (g - (a + h * b) / (N * H * W)), (dout * h).sum((0, 2, 3)), dout.sum((0, 2, 3))


@right("running", subject="frozen_batchnorm_backward")
def frozen_by_names(dout, x, gamma, running_mean, running_var, eps):
    s = np.sqrt(running_var + eps)
    return gamma / s * dout, (dout * (x - running_mean) / s).sum(0), dout.sum(0)


def stored_forward(x, gamma, beta, mean, var, eps=1e-3):
    r = 1 / np.sqrt(var + eps)
    return gamma * (x - mean) * r + beta, ((x - mean) * r, r, gamma)


@wrong("as in training mode", subject="frozen_batchnorm_backward")
def stored_backward(dout, cache):
    h, r, gamma = cache
    t = dout - dout.mean(0) - h * (dout * h).mean(0)
    return gamma * r * t, (dout * h).sum(0), dout.sum(0)


@right(subject="layernorm_forward")
def plain_layer(x, gamma, beta, eps):
    c = x - x.mean(axis=-1, keepdims=True)
    return gamma * c / np.sqrt((c * c).mean(axis=-1, keepdims=True) + eps) + beta


@right("x̂", subject="rmsnorm_forward")
def rms_with_cache(x, g, eps=1e-6):
    x_hat = x / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
    return x_hat * g, {"x_hat": x_hat}


@wrong("n − 1", subject="layernorm_forward")
def layer_of_std(x, gamma, beta, eps):
    std = np.sqrt(x.var(-1, keepdims=True, ddof=1) + eps)
    return gamma * (x - x.mean(-1, keepdims=True)) / std + beta


# As other people's layers keep, name and hand over things.


@right("∂C/∂x, ∂C/∂γ, ∂C/∂β")
class Plural(Usual):
    """Its method has another ending, its gradients stand in a container under bare names."""

    def __init__(self, dim):
        self.weights = {"gamma": np.ones((1, dim)), "beta": np.zeros((1, dim))}

    def __call__(self, x):
        return self.weights["gamma"] * self._keep(x) + self.weights["beta"]

    def backwards(self, d):
        sums = (d * self.z).sum(0, keepdims=True), d.sum(0, keepdims=True)
        self.kept_grad = dict(zip(("gamma", "beta"), sums, strict=True))
        return self._back(d, self.weights["gamma"])


@right("∂C/∂x, ∂C/∂γ, ∂C/∂β")
class ShapedByAnother(Usual):
    """Told elsewhere which shape γ has: with the axes of its sums, which it insists on."""

    def init_params(self, in_shape):
        self.params = {"gamma": np.ones(in_shape), "beta": np.zeros(in_shape)}

    def forward(self, x):
        return self.params["gamma"] * self._keep(x) + self.params["beta"]

    def backward(self, d):
        self.grads = {"dgamma": (d * self.z).sum(0, keepdims=True)}
        self.grads["dbeta"] = d.sum(0, keepdims=True)
        assert self.grads["dgamma"].shape == self.params["gamma"].shape
        return self._back(d, self.params["gamma"])


@right("∂C/∂x, ∂C/∂γ, ∂C/∂β")
class ConnectedLater(Usual):
    def __init__(self):
        self.gamma = self.beta = None

    def connect(self, layer_before):
        self.gamma, self.beta = np.ones(layer_before.size), np.zeros(layer_before.size)

    def forward(self, x):
        return self.gamma * self._keep(x) + self.beta

    def backward(self, d):
        self.dgamma, self.dbeta = (d * self.z).sum(0), d.sum(0)
        return self._back(d, self.gamma)


@right("∂C/∂x, ∂C/∂γ, ∂C/∂β")
class GivenItsInput(Usual):
    def __init__(self, x, gamma, beta):
        self.x, self.gamma, self.beta = x, gamma, beta

    def forward_pass(self):
        return self.gamma * self._keep(self.x) + self.beta

    def backward_pass(self, d):
        return self._back(d, self.gamma), (d * self.z).sum(0), d.sum(0)


@right("∂C/∂x, ∂C/∂γ, ∂C/∂β")
class WithContext:
    """The two static methods of an autograd function, without torch."""

    @staticmethod
    def forward(ctx, x, weight, bias, eps=1e-5):
        s = np.sqrt(x.var(0) + eps)
        ctx.save_for_backward((x - x.mean(0)) / s, s, weight)
        return weight * (x - x.mean(0)) / s + bias

    @staticmethod
    def backward(ctx, grad):
        u, s, weight = ctx.saved_tensors
        t = grad - grad.mean(0) - u * (grad * u).mean(0)
        return weight / s * t, (grad * u).sum(0), grad.sum(0)


@right("(N, L, C)", "∂C/∂x, ∂C/∂γ, ∂C/∂β", subject="layernorm_backward")
class OfSequences(UsualForward):
    """Its sums take two axes, so that for (M_B, n) they are numbers."""

    def forward(self, x):
        return self.gamma * self._keep(x, axis=-1) + self.beta

    def backward(self, d):
        self.dgamma, self.dbeta = (d * self.z).sum((0, 1)), d.sum((0, 1))
        return self._back(d * self.gamma, 1.0, axis=-1)


@wrong("∂C/∂γ has the shape", subject="layernorm_backward")
class SumsOverTheWrongAxis(UsualForward):
    def forward(self, x):
        return self.gamma * self._keep(x, axis=-1) + self.beta

    def backward(self, d):
        self.dgamma, self.dbeta = (d * self.z).sum(-1), d.sum(-1)
        return self._back(d * self.gamma, 1.0, axis=-1)


@wrong("∂C/∂γ is M_B times", "∂C/∂β is M_B times")
class SumsTimesTheBatch(UsualForward):
    """For images it is right as long as nobody asks for its sums."""

    def _back(self, d, gamma):
        return gamma / self.s[0] * (d - d.mean(0) - self.z * (d * self.z).mean(0))

    def backward(self, d):
        self.dgamma, self.dbeta = len(d) * (d * self.z).sum(0), len(d) * d.sum(0)
        return self._back(d, self.gamma)


@wrong("updates it before it is used")
class EarlyStep(UsualForward):
    def backward(self, d, lr=0.1):
        self.gamma = self.gamma - lr * (d * self.z).sum(0)
        return self._back(d, self.gamma)


def my_own_norm_forward(x, gamma, beta, /, eps=1e-5):
    s = np.sqrt(x.var(0) + eps)
    h = (x - x.mean(0)) / s
    return gamma * h + beta, h, s


@right(forward=my_own_norm_forward)
def handed_by_place(d, gamma, hat, root):
    t = d - d.mean(0) - hat * (d * hat).mean(0)
    return gamma / root * t, (d * hat).sum(0), d.sum(0)


@right("own_norm_forward, which stands beside it")
def fast_my_own_norm_backward(d, gamma, hat, root):
    return handed_by_place(d, gamma, hat, root)


def without_eps_forward(x, gamma, beta, eps):
    z = (x - x.mean(0)) / np.sqrt(x.var(0))
    return gamma * z + beta, (z, gamma, beta, x.mean(0), x.var(0), eps)


@wrong("eps is in the scale of your ∂C/∂x and missing in the forward pass")
def without_eps_backward(d, cache):
    z, gamma, _, _, var, eps = cache
    t = d - d.mean(0) - z * (d * z).mean(0)
    return gamma / np.sqrt(var + eps) * t, (d * z).sum(0), d.sum(0)


@wrong("right for (M_B, n), and wrong for the images", "N, the number of images")
class CountsImages(UsualForward):
    """Of any rank, its channels last; it divides by the length of the first axis."""

    def forward(self, x):
        return self.gamma * self._keep(x, axis=tuple(range(x.ndim - 1))) + self.beta

    def backward(self, d):
        every, N = tuple(range(d.ndim - 1)), len(d)
        self.dgamma, self.dbeta = (d * self.z).sum(every), d.sum(every)
        return self.gamma / self.s / N * (N * d - self.dbeta - self.z * self.dgamma)


@right()
def by_attributes_backward(d, cache):
    t = d - d.mean(0) - cache.z * (d * cache.z).mean(0)
    return cache.gamma / cache.sd * t, (d * cache.z).sum(0), d.sum(0)
