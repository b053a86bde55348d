package stream

import (
	"context"
	"fmt"
	"net"
	"strconv"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/schemas/kafka"
)

// unassigned returns how many partitions of the topics no member of the group has. Nothing else would show it: each
// member is well with what it was given. The count is -1 while the group is being divided.
func (c *cluster) unassigned(ctx context.Context, group string, partitions int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	described, err := c.describe(ctx, group)
	if err != nil {
		return 0, err
	}
	if described.State != "Stable" {
		return -1, nil
	}
	type place struct {
		topic     string
		partition int32
	}
	given := make(map[place]bool)
	for _, m := range described.Members {
		var a kmsg.ConsumerMemberAssignment
		if len(m.MemberAssignment) == 0 {
			continue
		}
		if err := a.ReadFrom(m.MemberAssignment); err != nil {
			return 0, fmt.Errorf("%w: the assignment of member %s: %w", kafka.ErrCorrupt, m.MemberID, err)
		}
		for _, t := range a.Topics {
			for _, p := range t.Partitions {
				given[place{t.Topic, p}] = true
			}
		}
	}
	missing := 0
	for _, topic := range c.topics {
		for p := range partitions {
			if !given[place{topic, int32(p)}] {
				missing++
			}
		}
	}
	return missing, nil
}

// describe asks the group's coordinator who has what.
func (c *cluster) describe(ctx context.Context, group string) (*kmsg.DescribeGroupsResponseGroup, error) {
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.SetVersion(1)
	find.CoordinatorKey = group
	res, err := c.client.AskAny(ctx, find)
	if err != nil {
		return nil, err
	}
	at := res.(*kmsg.FindCoordinatorResponse)
	if at.ErrorCode != 0 {
		return nil, fmt.Errorf("coordinator of group %s: %w", group, kafkago.Error(at.ErrorCode))
	}
	ask := kmsg.NewPtrDescribeGroupsRequest()
	ask.SetVersion(1)
	ask.Groups = []string{group}
	res, err = c.client.Ask(ctx, net.JoinHostPort(at.Host, strconv.Itoa(int(at.Port))), ask)
	if err != nil {
		return nil, err
	}
	groups := res.(*kmsg.DescribeGroupsResponse).Groups
	switch {
	case len(groups) != 1 || groups[0].Group != group:
		return nil, fmt.Errorf("%w: it is not about group %s", kafka.ErrCorrupt, group)
	case groups[0].ErrorCode != 0:
		return nil, fmt.Errorf("group %s: %w", group, kafkago.Error(groups[0].ErrorCode))
	}
	return &groups[0], nil
}
