package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"retorno/producers/documents"
	"retorno/producers/identity"
	"retorno/producers/producer"
	"retorno/schemas/agents"
)

type documentsCommand struct {
	Load documentsLoadCommand `cmd:"" help:"Tell the posts of documents that were reported stolen."`
}

type documentsLoadCommand struct {
	File     string     `arg:"" placeholder:"FILE" help:"CSV file with the columns document_number and, where they are not a Honduran DNI, document_type and document_country; day is when it was reported."`
	Kafka    kafkaFlags `embed:"" prefix:"kafka-"`
	Withdraw bool       `per:"call" help:"Take back what was told of the documents of the file."`
	identityFlags
}

// Help is the longer text of --help.
func (documentsLoadCommand) Help() string {
	return helpText("Sends a keyed hash of each document of the file to the topic of documents, with the day. A post that types such a document is told before it saves. Hashes are made here, under the secret of the person keys and a purpose of their own; no number leaves. A row that is no document is named by its line, and nothing is sent. The same file twice changes nothing; what is older than two years says nothing.",
		"retorno documents load stolen.csv --identity-key-file identity.key", "retorno documents load found-again.csv --withdraw --identity-key-file identity.key")
}

// Run reads the whole file, and sends it when all of it is well.
func (c *documentsLoadCommand) Run(ctx context.Context, t *terminal) error {
	secret, err := c.secret()
	if err != nil {
		return err
	}
	if secret.IsZero() {
		return Usage(errors.New("name the secret of the person keys by --identity-key-file: another one finds no document"))
	}
	all, err := c.read(secret)
	if err != nil {
		return err
	}
	cfg, err := c.Kafka.producer(t.Log, nil)
	if err != nil {
		return err
	}
	if err := c.Kafka.ask(ctx, func(ctx context.Context) error {
		return producer.CheckTopics(ctx, c.Kafka.Brokers, producer.TopicsConfig{Topics: []string{agents.TopicDocuments}, Partitions: c.Kafka.Partitions, Client: cfg})
	}); err != nil {
		return err
	}
	cfg.Partitions = 0 // this topic has one, whatever those of records have
	writer, err := producer.New(cfg)
	if err != nil {
		return Usage(err)
	}
	defer func() { _ = writer.Close() }() // all that was written is acknowledged
	messages := make([]producer.Message, len(all))
	for i, f := range all {
		value, err := f.Bytes()
		if err != nil {
			return err
		}
		messages[i] = producer.Message{Topic: agents.TopicDocuments, Key: []byte(f.ID), Value: value}
	}
	if err := writer.Write(ctx, messages...); err != nil {
		return c.Kafka.answered(ctx, err)
	}
	t.say("%d documents were told to the posts", len(all))
	return nil
}

// read reads the file.
func (c *documentsLoadCommand) read(secret identity.Secret) ([]agents.Finding, error) {
	file, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	all, err := documents.ReadList(io.Reader(file), secret, time.Now(), c.Withdraw)
	if err != nil {
		err = No(fmt.Errorf("%s: %w; nothing was sent", c.File, err))
	}
	return all, err
}
