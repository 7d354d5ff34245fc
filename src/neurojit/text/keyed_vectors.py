class KeyedVectors: pass
