"""Named data sets as plain arrays, with their provenance."""

from relujax.data._dataset import Dataset as Dataset
from relujax.data._dataset import Provenance as Provenance
from relujax.data._dataset import Transform as Transform
from relujax.data._dataset import from_arrays as from_arrays
from relujax.data._registry import DatasetInfo as DatasetInfo
from relujax.data._registry import dataset_info as dataset_info
from relujax.data._registry import list_datasets as list_datasets
from relujax.data._registry import load_dataset as load_dataset
from relujax.data._registry import prepare_dataset as prepare_dataset
