from pipeline.pretrain.command import pretrain

if __name__ == "__main__":
    pretrain()
