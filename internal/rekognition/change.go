package rekognition

import (
	"context"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/rekognition/api"
)

func (s *Server) updateDatasetEntries(ctx context.Context, in *api.UpdateDatasetEntriesRequest) (*api.UpdateDatasetEntriesResponse, error) {
	a := parseARN(in.DatasetArn)
	key, err := s.find(ctx, a)
	if err != nil {
		return nil, err
	}
	_, err = s.Datasets.Update(ctx, dataset.Change{Project: key, Split: a.split, Match: a.isDataset, Lines: in.Changes.GroundTruth})
	return &api.UpdateDatasetEntriesResponse{}, err
}

// distributeDatasetEntries takes the two datasets in either order: their types
// are in their ARNs (CL-2.110).
func (s *Server) distributeDatasetEntries(ctx context.Context, in *api.DistributeDatasetEntriesRequest) (*api.DistributeDatasetEntriesResponse, error) {
	train, test := parseARN(in.Datasets[0].Arn), parseARN(in.Datasets[1].Arn)
	if train.split == fovea.Test {
		train, test = test, train
	}
	key, err := s.find(ctx, train)
	if err != nil {
		return nil, err
	}
	if other, err := s.find(ctx, test); err != nil {
		return nil, err
	} else if other != key || train.split != fovea.Train || test.split != fovea.Test {
		return nil, fovea.Errorf(fovea.Invalid, "Distributing needs the train dataset and the test dataset of one project; these are %s and %s.", train.text, test.text)
	}
	err = s.Datasets.Distribute(ctx, key, func(trainView, testView *dataset.View) error {
		switch {
		case !train.isDataset(trainView):
			return train.notFound()
		case !test.isDataset(testView):
			return test.notFound()
		}
		return nil
	})
	return &api.DistributeDatasetEntriesResponse{}, err
}
