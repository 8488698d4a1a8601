import numpy as np
import pytest
from frames import regression, results
from scipy import stats

from relujax.errors import InputError
from relujax.statistics import conclusion, epochs_to_loss, paired_comparisons, scores
from relujax.statistics import summary as summarise


def test_summary_means_are_those_of_the_last_epoch():
    frame = results()
    row = summarise(frame).set_index("activation").loc["elu"]
    last = frame[(frame.epoch == 4) & (frame.activation == "elu")]
    test, train = last[last.split == "test"], last[last.split == "train"]
    assert row.accuracy == pytest.approx(test.accuracy.mean())
    assert row.gap == pytest.approx(train.accuracy.mean() - test.accuracy.mean())
    assert row.dead == pytest.approx(test.dead.map(np.mean).mean())
    assert row.accuracy_low <= row.accuracy <= row.accuracy_high
    assert row.seeds == 10


def test_diverged_seeds_are_counted_and_left_out():
    frame = results(diverge=[("elu", 2), ("elu", 5)])
    row = summarise(frame).set_index("activation").loc["elu"]
    assert (row.seeds, row.diverged) == (8, 2)
    assert np.isfinite(row.accuracy)
    assert paired_comparisons(frame, "accuracy", "relu").set_index(
        "activation"
    ).n.to_dict() == {"elu": 8, "arelu": 10}


def test_all_seeds_diverged():
    frame = results(["relu", "elu"], diverge=[("elu", s) for s in range(10)])
    row = summarise(frame).set_index("activation").loc["elu"]
    assert row.seeds == 0 and np.isnan(row.accuracy)
    assert paired_comparisons(frame, "accuracy", "relu").p.item() == 1.0
    assert "no seed ended with both" in conclusion(frame, "accuracy", "relu")


def test_comparison_is_paired_by_seed_whatever_the_row_order():
    frame = results(seeds=6).sample(frac=1, random_state=0)
    row = paired_comparisons(frame, "loss", "relu").set_index("activation").loc["elu"]
    value = scores(frame, "loss").unstack("seed")
    a, b = (value.xs(name, level="activation").iloc[0] for name in ("elu", "relu"))
    assert row.difference == pytest.approx((a - b).mean())
    assert row.p == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert row.wins == (a < b).sum()


def test_comparisons_of_several_tasks_share_one_correction():
    frame = results(data=("wdbc", "digits"), models=("mlp", "cnn"), seeds=5)
    table = paired_comparisons(frame, "accuracy", "relu")
    assert len(table) == 2 * 2 * 2
    assert (table.p_holm >= table.p).all()


def test_epochs_to_loss_is_the_first_time_below():
    frame = results(["relu"], seeds=1, epochs=3)
    frame.loc[frame.split == "train", "loss"] = [1.0, 0.2, 0.5, 0.1]
    assert epochs_to_loss(frame, threshold=0.4).epoch.item() == 1
    assert epochs_to_loss(frame, threshold=0.01).epoch.item() == np.inf


def test_regression_has_errors_and_no_accuracies():
    table = summarise(regression())
    assert "mse" in table and "accuracy" not in table
    assert "mean squared error" in conclusion(regression(), "mse", "relu")


def test_conclusion_of_equal_activations():
    frame = results(["relu", "elu"])
    frame["accuracy"] = 1.0
    text = conclusion(frame, "accuracy", "relu")
    assert text.startswith("No activation differs from relu in test accuracy")
    assert "(10 seeds, Holm-corrected p = 1)" in text


def test_conclusion_names_what_differs_and_hedges_the_rest():
    frame = results(["relu", "elu", "gelu"], accuracy={"elu": 0.7})
    gelu, relu = (frame.activation == name for name in ("gelu", "relu"))
    frame.loc[gelu, "accuracy"] = frame.loc[relu, "accuracy"].to_numpy()
    text = conclusion(frame, "accuracy", "relu")
    assert "elu (−" in text and "trails relu" in text
    assert "the other 1 of 2 comparisons could be chance" in text


def test_conclusion_of_one_seed():
    assert "One seed cannot tell" in conclusion(results(seeds=1), "accuracy", "relu")


def test_unknown_names_offer_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'accuracy'"):
        paired_comparisons(results(), "acuracy", "relu")
    with pytest.raises(InputError, match="Did you mean 'relu'"):
        paired_comparisons(results(), "accuracy", "rleu")


def test_two_cells_under_one_name_are_refused():
    frame = results(["relu", "elu"], seeds=2)
    frame.loc[frame.seed == 1, "cell"] += "b"
    with pytest.raises(InputError, match="Expected one cell"):
        summarise(frame)
