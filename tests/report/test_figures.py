import numpy as np
import pytest
from frames import regression, results

from relujax.report._matrices import confusion_matrices, dead_heatmap, overview
from relujax.report._plates import overview_plate, seeds_plate, task_plates
from relujax.report._style import MARKERS, drawing, png, styles, svg
from relujax.statistics import paired_comparisons
from relujax.statistics._results import tasks

MANY = [
    f"srelu(t_left=-{i}.1, a_left=0.1, t_right=1.0, a_right=0.2)" for i in range(11)
]


def plates(frame, baseline="relu"):
    look = styles(list(frame["activation"].unique()), baseline)
    metric = "mse" if frame["accuracy"].isna().all() else "accuracy"
    table = paired_comparisons(frame, metric, baseline)
    found = task_plates(frame, table, tasks(frame)[0], look, baseline)
    if len(tasks(frame)) > 1:
        found.append(overview_plate(frame, table, look, baseline))
    return {plate.name: plate for plate in found}


def panels(plate):
    return [axes for axes in plate.figure.axes if axes.get_visible()]


def texts_overlap(figure):
    """Whether two texts of a figure cover each other."""
    figure.canvas.draw()
    boxes = [
        text.get_window_extent()
        for axes in figure.axes
        if axes.get_visible()
        for text in [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
        if text.get_text() and text.get_visible()
    ]
    boxes += [
        label.get_window_extent()
        for axes in figure.axes
        for i, axis in enumerate((axes.xaxis, axes.yaxis))
        for label in axis.get_ticklabels()
        if label.get_text() and label.get_visible() and axes.get_visible()
        if min(axis.get_view_interval()) <= label.get_position()[i]
        if label.get_position()[i] <= max(axis.get_view_interval())
    ]
    shrunk = [box.padded(-2.5) for box in boxes]
    pairs = [(a, b) for i, a in enumerate(shrunk) for b in shrunk[:i]]
    return any(a.overlaps(b) for a, b in pairs)


def test_a_classification_study_has_every_figure():
    found = plates(results(["relu", "elu", "gelu", "arelu"]))
    expected = ["accuracy", "differences", "loss", "gap", "confusion", "dead"]
    assert list(found) == [*expected, "timeline", "signal"]
    assert len(panels(found["accuracy"])) == 1
    assert len(panels(found["loss"])) == 2
    assert len(panels(found["confusion"])) == 4 + 1  # and the colour bar
    assert len(panels(found["dead"])) == 2
    assert all("n = 10 seeds per activation" in p.caption for p in found.values())


def test_every_seed_is_drawn():
    figure = plates(results(["relu", "elu"]))["accuracy"].figure
    points = [np.shape(c.get_offsets())[0] for c in figure.axes[0].collections]
    assert points == [10, 10]


def test_points_are_inside_the_axes_and_axes_inside_the_bounds():
    frame = results(["relu", "elu"])
    frame["dead"] = [[0.0, 0.01 * seed] for seed in frame["seed"]]
    for axes in plates(frame)["dead"].figure.axes:
        left, right = axes.get_xlim()
        points = np.concatenate([c.get_offsets() for c in axes.collections])[:, 0]
        assert -1 < left <= points.min() and points.max() <= right < 12


def test_deep_networks_get_a_heat_map_and_mean_timelines():
    found = plates(results(["relu", "elu"], layers=30))
    assert len(found["dead"].figure.axes[0].images) == 1
    assert len(found["timeline"].figure.axes) == 3


def test_the_timeline_has_a_column_for_each_layer():
    frame = results(["relu", "elu"], layers=2)
    axes = plates(frame)["timeline"].figure.axes
    assert len(axes) == 6
    # Births and revivals start after epoch 0, and are drawn on either side of zero.
    births, revivals = axes[2].lines[:2]
    assert min(births.get_xdata()) == 1
    assert min(births.get_ydata()) >= 0 >= max(revivals.get_ydata())


def test_results_without_births_have_no_timeline():
    frame = results(["relu", "elu"]).drop(columns=["births", "revivals", "ever_dead"])
    assert "timeline" not in plates(frame)


def test_regression_figures():
    found = plates(regression(["relu", "elu"]))
    assert list(found) == ["mse", "differences", "loss", "gap", "dead", "timeline"]


def test_one_seed_says_that_there_is_no_interval():
    found = plates(results(["relu", "elu"], seeds=1))
    assert "One seed, so no interval." in found["accuracy"].caption
    assert "Band" not in found["loss"].caption


def test_diverged_seeds_are_in_the_caption():
    lost = [("elu", s) for s in range(3)]
    caption = plates(results(["relu", "elu"], diverge=lost))["accuracy"].caption
    assert "(elu: 7); 3 diverged" in caption


def test_an_activation_without_a_surviving_seed():
    lost = [("elu", s) for s in range(4)]
    for plate in plates(results(["relu", "elu"], seeds=4, diverge=lost)).values():
        assert svg(plate.figure)


@pytest.mark.parametrize("names", [["relu", "elu"], ["relu", *MANY]])
def test_no_text_covers_another(names):
    frame = results(names, seeds=4, epochs=2, data=("wdbc", "digits"))
    for plate in plates(frame).values():
        assert not texts_overlap(plate.figure), plate.name


def many(make=results, seeds=4, **kwargs):
    """Results of 24 tasks with long names."""
    data = [f"synthetic(curve='two_class', n={n}, d={d}, columns=5)"
            for n in (100, 500) for d in (1, 2, 5)]  # fmt: skip
    models = [f"deep_mlp(width=8, depth={depth})" for depth in (1, 3, 10, 30)]
    names = ["relu", "elu", "selu"]
    return make(names, data=data, models=models, seeds=seeds, epochs=1, **kwargs)


@pytest.mark.parametrize("make", [results, regression])
def test_every_seed_of_many_tasks_is_drawn(make):
    frame = many(make)
    look = styles(["relu", "elu", "selu"], "relu")
    plate = seeds_plate(frame, look, "relu")
    elu = panels(plate)[0]
    marks = [line for line in elu.lines if line.get_marker() == "o"]
    assert len(marks) == 1 and len(marks[0].get_xdata()) == 24 * 4
    assert elu.get_xscale() == ("log" if make is regression else "linear")
    plate.figure.canvas.draw()
    assert not any(t.get_text() for t in elu.get_xticklabels(minor=True))
    assert not any("$" in t.get_text() for t in elu.get_xticklabels())
    labels = [label.get_text() for label in elu.get_yticklabels()]
    assert len(set(labels)) == 24 and labels[0] == "n=100, d=1, depth=1"
    assert not texts_overlap(plate.figure)


def test_an_overview_of_many_tasks_has_short_labels_and_a_page_of_height():
    frame = many()
    look = styles(["relu", "elu", "selu"], "relu")
    table = paired_comparisons(frame, "accuracy", "relu")
    plate = overview_plate(frame, table, look, "relu")
    labels = [label.get_text() for label in plate.figure.axes[0].get_yticklabels()]
    assert max(map(len, labels)) < 25
    assert plate.figure.get_figheight() < 6
    assert not texts_overlap(plate.figure)


def test_no_two_activations_look_alike():
    look = styles(["relu", *MANY], "relu")
    assert len(set(look.values())) == 12
    assert len({style.marker for style in look.values()}) == 12
    assert len(MARKERS) >= 11


def test_figures_are_reproducible():
    frame = results(["relu", "elu"], seeds=3)
    a, b = (plates(frame)["accuracy"].figure for _ in range(2))
    assert svg(a) == svg(b) and png(a) == png(b)


def _image(figure):
    """The picture of the figure's first panel, and its colour bar."""
    return figure.axes[0].images[0], figure.axes[-1]


def test_nothing_dead_is_white_on_a_scale_from_zero():
    frame = results(["relu", "elu"], seeds=3, layers=6)
    frame["dead"] = [[0.0] * 6 for _ in range(len(frame))]
    with drawing():
        image, bar = _image(dead_heatmap(frame, styles(["relu", "elu"], "relu")))
    assert np.ptp(np.asarray(image.get_array())) == 0
    assert image.to_rgba(np.zeros((1, 1)))[..., :3].min() > 0.95
    assert bar.get_ylim()[0] == 0 and bar.get_ylim()[1] >= 1


def test_no_error_and_no_difference_are_white():
    frame = results(["relu", "elu"], seeds=3, accuracy={"relu": 1.0, "elu": 1.0})
    frame["confusion"] = [[57, 0, 0, 57] for _ in range(len(frame))]
    frame["accuracy"] = 1.0
    look = styles(["relu", "elu"], "relu")
    with drawing():
        image, bar = _image(confusion_matrices(frame, look))
        assert bar.get_ylim()[1] >= 1
        table = paired_comparisons(frame, "accuracy", "relu")
        image, bar = _image(overview(table, tasks(frame), look, "accuracy", "relu"))
    assert bar.get_ylim() == (-1, 1)
    assert image.to_rgba(np.zeros((1, 1)))[..., :3].min() > 0.9


@pytest.mark.parametrize("baseline", ["relu", "srelu(left=-0.1, slope=0.2, right=1.0)"])
def test_the_label_of_a_colour_bar_is_not_cut(baseline):
    for data in [("wdbc",), ("wdbc", "digits"), tuple(f"set{i}" for i in range(20))]:
        frame = results([baseline, "elu"], seeds=2, epochs=1, data=data)
        table = paired_comparisons(frame, "accuracy", baseline)
        look = styles([baseline, "elu"], baseline)
        with drawing():
            figures = [overview(table, tasks(frame), look, "accuracy", baseline)]
            one = frame[frame["data"] == data[0]]
            figures += [confusion_matrices(one, look), dead_heatmap(one, look)]
        for figure in figures:
            figure.canvas.draw()
            label = figure.axes[-1].yaxis.label.get_window_extent()
            low, high = label.y0 / figure.dpi, label.y1 / figure.dpi
            assert 0 <= low and high <= figure.get_figheight(), (data, label)


def test_bands_end_where_losses_and_shares_end():
    """Student's interval of two seeds reaches below zero, where no loss can be."""
    frame = results(["relu", "elu"], seeds=2)
    frame["loss"] *= np.where(frame["seed"] == 0, 1e-3, 1.0)
    frame["dead"] = [[0.3 * seed] for seed in frame["seed"]]
    found = plates(frame)
    loss, dead = (found[name].figure.axes[0] for name in ("loss", "timeline"))
    assert loss.get_yscale() == "log"
    rows = frame[frame["split"] == "train"]
    assert _lowest(loss) == pytest.approx(rows["loss"].min())
    assert _lowest(dead) == 0
    assert "ends at the lowest seed" in found["loss"].caption


def _lowest(axes):
    bands = [path for c in axes.collections for path in c.get_paths()]
    return min(path.vertices[:, 1].min() for path in bands)
