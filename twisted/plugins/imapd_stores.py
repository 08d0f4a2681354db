from imapd.store.maker import StoreMaker

memory = StoreMaker("memory", "", "imapd.store.memory.open_store")
maildir = StoreMaker("maildir", "DIRECTORY/%u", "imapd.store.maildir.open_store")
