# The PostgreSQL store's part of test_storage. The target is made after this file is read, so linking waits for the end.
list(APPEND store_fixtures postgres_failover_test.cpp postgres_fixture.cpp postgres_leaving_test.cpp postgres_level_test.cpp postgres_membership_test.cpp postgres_order_test.cpp postgres_outcome_test.cpp postgres_server_test.cpp postgres_votes_test.cpp tcp_proxy.cpp)
cmake_language(DEFER CALL target_link_libraries test_storage PRIVATE test_postgres_server)
